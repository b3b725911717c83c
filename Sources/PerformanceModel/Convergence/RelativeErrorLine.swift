/// The straight line y = intercept + slope x, neither constant below zero, whose relative errors |line / y - 1| have the least
/// sum: what tables of relative errors are judged by, and what a single row far away hardly moves.
///
/// A linear programme (Narula and Wellington 1977, "Prediction, linear regression and the minimum sum of relative errors",
/// Technometrics 19), so its optimum passes through two of the points, or through one where the other constant is zero. All of
/// them are tried.
struct RelativeErrorLine {
    private(set) var intercept = 0.0
    private(set) var slope = 0.0

    /// The line for `points`, whose x and y are positive; zero for none.
    init(_ points: [(x: Double, y: Double)]) {
        var least = Double.infinity
        for (index, first) in points.enumerated() {
            consider(first.y, 0, points, &least)
            consider(0, first.y / first.x, points, &least)
            for second in points[..<index] where second.x != first.x {
                let slope = (first.y - second.y) / (first.x - second.x)
                consider(first.y - slope * first.x, slope, points, &least)
            }
        }
    }

    /// Takes the line of the given constants where no constant is negative and its errors are less than `least`.
    private mutating func consider(
        _ intercept: Double, _ slope: Double, _ points: [(x: Double, y: Double)], _ least: inout Double
    ) {
        guard intercept >= 0, slope >= 0 else { return }
        let errors = points.reduce(0) { $0 + abs((intercept + slope * $1.x) / $1.y - 1) }
        guard errors < least else { return }
        (self.intercept, self.slope, least) = (intercept, slope, errors)
    }
}
