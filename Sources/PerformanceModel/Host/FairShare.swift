#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Threads that share cores as an operating system's fair scheduler lets them: each gets an equal part, and none more than
/// a core. The fluid limit of time slices (processor sharing; Kleinrock 1967), since steps are long beside a slice.
enum FairShare {
    /// When each of `work`, in seconds of a core, is done on `cores`.
    static func finishTimes(_ work: [Double], cores: Int) -> [Double] {
        var (time, done) = (0.0, 0.0)
        var times = work
        for (place, index) in work.indices.sorted(by: { work[$0] < work[$1] }).enumerated() {
            time += (work[index] - done) * max(1, Double(work.count - place) / Double(max(1, cores)))
            done = work[index]
            times[index] = time
        }
        return times
    }

    /// The values that `count` draws of a standard normal distribution take on average, in ascending order (Blom 1958: the
    /// quantiles at (i - 3/8) / (n + 1/4)).
    static func normalScores(_ count: Int) -> [Double] {
        (1...max(1, count)).map { place in
            let probability = (Double(place) - 0.375) / (Double(count) + 0.25)
            return probability < 0.5
                ? -SlowestDevice.normalQuantile(1 - probability) : SlowestDevice.normalQuantile(probability)
        }
    }
}
