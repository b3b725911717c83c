/// When something was measured often enough: once the two quickest measurements agree.
///
/// Whatever else runs only ever slows a machine, so the quickest of several measurements is the nearest to the machine by
/// itself (Chen and Revels 2016, arXiv 1608.04295). How many it takes depends on what else runs: where the quickest was a
/// lucky one, or all were disturbed in some measure, no second one comes close to it. Since a neighbour may slow all of a
/// minute alike, there are some measurements in any case.
package enum Repetition {
    /// How far apart the two quickest may lie, as a share of the quickest.
    package static let tolerance = 0.02
    /// How many measurements there are in any case.
    package static let least = 5

    /// Whether `durations` of one thing need no further one.
    package static func isEnough(_ durations: [Double]) -> Bool {
        let quickest = durations.sorted().prefix(2)
        guard durations.count >= least, let first = quickest.first, let second = quickest.last
        else { return false }
        return second <= first * (1 + tolerance)
    }
}
