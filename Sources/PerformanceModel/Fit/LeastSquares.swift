/// Non-linear least squares with Gaussian priors, by Levenberg and Marquardt's damping of Gauss and Newton's step.
///
/// Minimises sum over rows of rho(residual) + sum over constants of z^2, where z is a constant's distance from its prior
/// in prior standard deviations, and rho is the pseudo-Huber loss 2 (sqrt(1 + r^2) - 1): a row far off (a misprint) pulls
/// with a bounded force. Everything is deterministic: no random start, no thread.
struct LeastSquares {
    /// What was found.
    struct Solution {
        /// The constants, in prior standard deviations from the prior.
        var position: [Double]
        /// The posterior covariance of the same.
        var covariance: Matrix
        /// Steps taken.
        var iterations: Int
    }

    /// Residuals at a position, each in standard deviations of a row.
    let residuals: ([Double]) -> [Double]
    /// The rows that each constant can change: derivatives elsewhere are zero and aren't computed.
    let rowsOfConstant: [[Int]]
    /// The residuals of given rows.
    let partial: ([Double], [Int]) -> [Double]

    /// Finds the minimum from the prior's centre.
    func solve(iterations most: Int = 60) -> Solution {
        let count = rowsOfConstant.count
        var position = [Double](repeating: 0, count: count)
        var residual = residuals(position)
        var cost = Self.cost(residual, position)
        var damping = 1e-3
        var taken = 0
        var hessian = Matrix(count)
        while taken < most {
            taken += 1
            let (normal, gradient) = normalEquations(at: position, residual)
            hessian = normal
            var improved = false
            for _ in 0..<12 {
                var damped = normal
                for index in 0..<count { damped[index, index] *= 1 + damping }
                guard let step = damped.solved(gradient) else {
                    damping *= 10
                    continue
                }
                let candidate = zip(position, step).map { $0 - $1 }
                let next = residuals(candidate)
                let nextCost = Self.cost(next, candidate)
                if nextCost < cost {
                    improved = cost - nextCost > 1e-9 * cost
                    (position, residual, cost) = (candidate, next, nextCost)
                    damping = max(damping / 10, 1e-9)
                    break
                }
                damping *= 10
            }
            if !improved { break }
        }
        if taken > 0 { hessian = normalEquations(at: position, residual).matrix }
        return Solution(position: position, covariance: hessian.inverse() ?? Matrix(count), iterations: taken)
    }

    private static func cost(_ residual: [Double], _ position: [Double]) -> Double {
        residual.reduce(0) { $0 + 2 * ((1 + $1 * $1).squareRoot() - 1) } + position.reduce(0) { $0 + $1 * $1 }
    }

    /// The Gauss-Newton matrix and gradient, rows weighted by rho'.
    private func normalEquations(at position: [Double], _ residual: [Double]) -> (matrix: Matrix, gradient: [Double]) {
        let count = rowsOfConstant.count
        let weights = residual.map { 1 / (1 + $0 * $0).squareRoot() }
        let step = 1e-4
        var columns: [[Int: Double]] = []
        columns.reserveCapacity(count)
        for index in 0..<count {
            var moved = position
            moved[index] += step
            let rows = rowsOfConstant[index]
            let values = partial(moved, rows)
            var column: [Int: Double] = [:]
            for (row, value) in zip(rows, values) { column[row] = (value - residual[row]) / step }
            columns.append(column)
        }
        var matrix = Matrix(count)
        var gradient = position
        for i in 0..<count {
            for row in rowsOfConstant[i] {
                guard let left = columns[i][row] else { continue }
                gradient[i] += left * weights[row] * residual[row]
                for j in i..<count {
                    guard let right = columns[j][row] else { continue }
                    matrix[i, j] += left * right * weights[row]
                }
            }
        }
        for i in 0..<count {
            matrix[i, i] += 1
            for j in 0..<i { matrix[i, j] = matrix[j, i] }
        }
        return (matrix, gradient)
    }
}

/// A square matrix, dense.
struct Matrix: Hashable, Sendable {
    let count: Int
    private var elements: [Double]

    /// A matrix of zeros.
    init(_ count: Int) {
        self.count = count
        elements = [Double](repeating: 0, count: count * count)
    }

    subscript(row: Int, column: Int) -> Double {
        get { elements[row * count + column] }
        set { elements[row * count + column] = newValue }
    }

    /// The lower Cholesky factor of a symmetric positive definite matrix; nil where it is none.
    private func factor() -> Matrix? {
        var lower = Matrix(count)
        for i in 0..<count {
            for j in 0...i {
                var sum = self[i, j]
                for k in 0..<j { sum -= lower[i, k] * lower[j, k] }
                if i == j {
                    guard sum > 0 else { return nil }
                    lower[i, i] = sum.squareRoot()
                } else {
                    lower[i, j] = sum / lower[j, j]
                }
            }
        }
        return lower
    }

    private static func solve(_ lower: Matrix, _ right: [Double]) -> [Double] {
        let count = lower.count
        var x = right
        for i in 0..<count {
            for k in 0..<i { x[i] -= lower[i, k] * x[k] }
            x[i] /= lower[i, i]
        }
        for i in (0..<count).reversed() {
            for k in (i + 1)..<max(count, i + 1) { x[i] -= lower[k, i] * x[k] }
            x[i] /= lower[i, i]
        }
        return x
    }

    /// The solution of self x = right.
    func solved(_ right: [Double]) -> [Double]? { factor().map { Self.solve($0, right) } }

    /// The inverse.
    func inverse() -> Matrix? {
        guard let lower = factor() else { return nil }
        var inverse = Matrix(count)
        for column in 0..<count {
            var unit = [Double](repeating: 0, count: count)
            unit[column] = 1
            for (row, value) in Self.solve(lower, unit).enumerated() { inverse[row, column] = value }
        }
        return inverse
    }
}
