/// Student's t distribution, as far as confidence intervals of means need it.
public enum StudentQuantile {
    /// The 97.5 % quantile: a mean of n measurements has the 95 % interval mean ± quantile(n - 1) x standard error.
    ///
    /// Exact for 1 and 2 degrees of freedom; from 3 on by its expansion from the normal quantile (Abramowitz and Stegun,
    /// 26.7.5), within 1 %.
    public static func upper975(degrees: Int) -> Double {
        switch degrees {
        case ..<1: .infinity
        case 1: 12.706204736174698
        case 2: 4.302652729749462
        default: expansion(Double(degrees))
        }
    }

    private static func expansion(_ degrees: Double) -> Double {
        let z = 1.959963984540054
        let z2 = z * z
        let first = z * (z2 + 1) / 4
        let second = z * ((5 * z2 + 16) * z2 + 3) / 96
        let third = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384
        return z + (first + (second + third / degrees) / degrees) / degrees
    }
}
