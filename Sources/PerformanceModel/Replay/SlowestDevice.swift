#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How much the slowest of several equal devices is behind the typical one.
public enum SlowestDevice {
    /// The factor on compute time where devices' times have a coefficient of variation of `spread`: 1 + spread times the
    /// expected largest of `count` standard normal draws (Blom 1958: the quantile at (n - 3/8) / (n + 1/4)).
    public static func factor(count: Int, spread: Double) -> Double {
        count < 2 ? 1 : 1 + spread * normalQuantile((Double(count) - 0.375) / (Double(count) + 0.25))
    }

    /// The quantile of the standard normal distribution, for 0.5 <= p < 1 (Abramowitz and Stegun 26.2.23, error below
    /// 4.5e-4).
    static func normalQuantile(_ probability: Double) -> Double {
        let t = (-2 * log(1 - probability)).squareRoot()
        return t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
    }
}
