#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Interpolation on logarithms: rates grow by factors, not by amounts.
enum Logarithm {
    /// How far `value` lies between two bounds, from 0 to 1.
    static func share(of value: Int, from low: Int, to high: Int) -> Double {
        log(Double(value) / Double(low)) / log(Double(high) / Double(low))
    }

    /// The point `share` of the way between two positive numbers.
    static func mix(_ left: Double, _ right: Double, _ share: Double) -> Double {
        exp(log(left) * (1 - share) + log(right) * share)
    }
}
