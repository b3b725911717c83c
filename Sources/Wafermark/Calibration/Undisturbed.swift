import Jobs

/// A figure of the machine by itself, out of several measurements that lie apart.
///
/// Whatever else runs only ever slows a machine, so the quicker measurements are nearer (Chen and Revels 2016, arXiv
/// 1608.04295, who take the quickest); here it is their quartile, so that no single lucky one counts.
enum Undisturbed {
    /// Of durations, or what goes by them; 0 where there are none.
    static func duration(_ values: [Double]) -> Double { Quantiles(values).quantile(0.25) ?? 0 }

    /// Of what is reached in a time; 0 where there is none.
    static func rate(_ values: [Double]) -> Double { Quantiles(values).quantile(0.75) ?? 0 }
}
