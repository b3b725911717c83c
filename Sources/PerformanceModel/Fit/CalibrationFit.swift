#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Fits the constants of stacks and hardware to published throughputs by least squares on the logarithm of time.
public struct CalibrationFit: Sendable {
    /// The standard deviation of a published throughput that the model can't explain, as a share.
    static let rowDeviation = 0.03

    private let rows: [PublishedCase]
    private let setups: [ClusterSetup]
    private let stacks: [String: SoftwareStack]
    private let base: Calibration

    /// What a fit found.
    public struct Outcome: Sendable {
        /// The calibration with the fitted constants.
        public var calibration: Calibration
        /// Each constant: name, value, standard error and how far rows determine it.
        public var constants: [(id: FittedConstant, constant: Constant)]
        /// Rows that were used.
        public var rowCount: Int
    }

    /// A fit to `rows`; `base` gives the stacks' exchange settings and every constant that no row moves.
    ///
    /// - Throws: `unknownName` for hardware that no profile describes.
    public init(rows: [PublishedCase], base: Calibration) throws(PerformanceModelError) {
        self.rows = rows
        var setups: [ClusterSetup] = []
        setups.reserveCapacity(rows.count)
        for row in rows { setups.append(try row.setup()) }
        self.setups = setups
        // What isn't fitted of the hardware that rows ran on stays at its prior.
        var base = base
        for name in Set(rows.map(\.hardware)) where base.shared.speed[name] == nil {
            base.shared.speed[name] = FittedConstant.speed(hardware: name).priorConstant
        }
        for setup in setups where setup.nodes > 1 && base.shared.busShare[setup.machine.fabric] == nil {
            let fabric = setup.machine.fabric
            base.shared.busShare[fabric] = FittedConstant.busShare(fabric: fabric).priorConstant
        }
        self.base = base
        var stacks: [String: SoftwareStack] = [:]
        for name in Set(rows.map(\.stack)) { stacks[name] = base.stackOrTypical(name) }
        self.stacks = stacks
    }

    /// How far rows must narrow a constant's prior for it to be fitted: more than half of its variance. Below, the prior
    /// is as good, and one constant fewer can overfit.
    public static let leastDetermined = 0.5

    /// The constants that these rows support: of the candidates, those that they determine by more than half, a launch
    /// cost that stacks share, and every matrix share.
    public func supported() throws(PerformanceModelError) -> [FittedConstant] {
        let candidates = candidates()
        guard candidates.count <= rows.count else { return candidates.filter(\.isMatrixShare) }
        let trial = try run(candidates)
        return trial.constants.filter { $0.id.isMatrixShare || $0.constant.determined >= Self.leastDetermined }
            .map(\.id) + (rows.count > stacks.count ? [.commonLaunch] : [])
    }

    /// The constants that any row moves.
    ///
    /// Constants of a stack: a matrix share for each precision that it has rows of, and a launch cost where it has more
    /// rows than shares. Shared and hardware constants: where at least two rows move them.
    private func candidates() -> [FittedConstant] {
        var constants: [FittedConstant] = []
        for stack in stacks.keys.sorted() {
            let own = rows.filter { $0.stack == stack }
            let precisions = Precision.allCases.filter { precision in own.contains { $0.precision == precision } }
            constants += precisions.map { .matrixShare(stack: stack, precision: $0) }
            if own.count > precisions.count { constants.append(.launch(stack: stack)) }
        }
        let shared: [FittedConstant] =
            Set(rows.map(\.hardware)).sorted().map { .speed(hardware: $0) }
            + Set(setups.map(\.machine.fabric)).sorted().map { .busShare(fabric: $0) }
            + [
                .elementwiseTraffic, .updateTraffic, .negotiation, .overlappedExchangeRate, .hostPerKernel,
                .deviceSpeedSpread,
            ]
        for constant in shared where rowsMoved(by: constant).count >= 2 { constants.append(constant) }
        return constants
    }

    private func rowsMoved(by constant: FittedConstant) -> [Int] {
        rows.indices.filter {
            constant.moves(
                rows[$0], fabric: setups[$0].machine.fabric,
                exchange: stacks[rows[$0].stack]?.exchange ?? .afterAccumulation)
        }
    }

    /// Fits `constants`, or those that the rows support.
    ///
    /// - Throws: `underdetermined` where there are more constants than rows, in all or of one stack.
    public func run(_ given: [FittedConstant]? = nil) throws(PerformanceModelError) -> Outcome {
        let constants: [FittedConstant] = if let given { given } else { try supported() }
        guard constants.count <= rows.count else {
            throw .underdetermined(
                constants: constants.count, rows: rows.count,
                detail: "give more rows, or fit fewer of \(constants.map(\.name).joined(separator: ", "))")
        }
        let priors = constants.map(\.prior)
        let moved = constants.map { rowsMoved(by: $0) }
        let measured = rows.map { log($0.sequencesPerSecond) }
        func values(_ position: [Double]) -> [Double] {
            zip(priors, position).map { $0.value * exp($0.deviation * $1) }
        }
        func residuals(_ position: [Double], _ some: [Int]) -> [Double] {
            let trial = Trial(constants, values(position), over: base)
            return some.map { index in
                guard let stack = stacks[rows[index].stack] else { return 0 }
                let step = ClusterStep(setups[index], trial.constants(for: setups[index], stack: stack))
                let predicted = log(Double(setups[index].globalBatch) / step.total)
                return (predicted - measured[index]) / Self.rowDeviation
            }
        }
        let all = Array(rows.indices)
        let solution = LeastSquares(
            residuals: { residuals($0, all) }, rowsOfConstant: moved, partial: residuals
        ).solve()
        let found = zip(constants.indices, values(solution.position)).map { index, value in
            let variance = solution.covariance[index, index]
            return (
                id: constants[index],
                constant: Constant(
                    value: value, errorPercent: 100 * priors[index].deviation * variance.squareRoot(),
                    determined: max(0, 1 - variance))
            )
        }
        return Outcome(
            calibration: calibration(with: found), constants: found, rowCount: rows.count)
    }

    /// The base calibration with the found constants and the ranges of these rows in it.
    private func calibration(with found: [(id: FittedConstant, constant: Constant)]) -> Calibration {
        var result = base
        var updated = stacks
        for name in stacks.keys.sorted() {
            let own = rows.filter { $0.stack == name }
            updated[name]?.efficiency = [:]
            updated[name]?.launchMicroseconds = nil
            updated[name]?.range = CalibratedRange(
                rows: own.count, hardware: Set(own.map(\.hardware)).sorted(),
                sequence: own.map(\.workload.sequence).leastToGreatest,
                tokens: own.map { $0.workload.sequence * $0.workload.microBatch }.leastToGreatest,
                accumulation: own.map(\.accumulation).leastToGreatest)
        }
        result.shared.mostDevices = rows.map(\.ranks).max() ?? 1
        for (id, constant) in found {
            switch id {
            case .matrixShare(let stack, let precision):
                updated[stack]?.efficiency[precision] = .init(matrixShare: constant)
            case .launch(let stack): updated[stack]?.launchMicroseconds = constant
            default: result.shared.set(id, to: constant)
            }
        }
        for precision in Precision.allCases {
            let shares = found.filter { if case .matrixShare(_, precision) = $0.id { true } else { false } }
                .map(\.constant.value).sorted()
            if shares.count >= 3 { result.shared.typicalMatrixShare[precision] = shares[shares.count / 2] }
        }
        result.stacks = (base.stacks.filter { updated[$0.name] == nil } + updated.values).sorted { $0.name < $1.name }
        return result
    }
}

/// A position of the fit, laid over a base calibration without building a new one.
private struct Trial {
    private var shares: [String: [Precision: Double]] = [:]
    private var launches: [String: Double] = [:]
    private var shared: SharedConstants
    private let base: Calibration

    init(_ constants: [FittedConstant], _ values: [Double], over base: Calibration) {
        self.base = base
        shared = base.shared
        for (id, value) in zip(constants, values) {
            switch id {
            case .matrixShare(let stack, let precision): shares[stack, default: [:]][precision] = value
            case .launch(let stack): launches[stack] = value
            default: shared.set(id, to: Constant(value: value, errorPercent: 0, determined: 0))
            }
        }
    }

    func constants(for setup: ClusterSetup, stack: SoftwareStack) -> StepConstants {
        var result = Calibration(stacks: [], shared: shared).constants(for: setup, stack: stack)
        if let share = shares[stack.name]?[setup.precision] {
            result.matrixShare = share * (shared.speed[setup.hardware]?.value ?? 1)
        }
        result.launchSeconds = (launches[stack.name] ?? shared.launchMicroseconds.value) * 1e-6
        return result
    }
}

extension SharedConstants {
    /// Takes `constant` for `id`; those of one stack are not among the shared ones.
    fileprivate mutating func set(_ id: FittedConstant, to constant: Constant) {
        switch id {
        case .matrixShare, .launch: break
        case .commonLaunch: launchMicroseconds = constant
        case .speed(let hardware): speed[hardware] = constant
        case .busShare(let fabric): busShare[fabric] = constant
        case .elementwiseTraffic: elementwiseTraffic = constant
        case .updateTraffic: updateTraffic = constant
        case .negotiation: negotiationMicroseconds = constant
        case .overlappedExchangeRate: overlappedExchangeRate = constant
        case .hostPerKernel: hostMicrosecondsPerKernel = constant
        case .deviceSpeedSpread: deviceSpeedSpread = constant
        }
    }
}
