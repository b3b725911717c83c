import Jobs

/// How many runs go on at once, and on which cores each.
///
/// By default one, on all cores: host times mean little if two runs share them. Runs that go on at once have cores of
/// their own; memory's bandwidth they share all the same, and each run's record says so.
public struct RunSlots: Hashable, Sendable {
    /// The cores of each run that can go on; nil for all.
    public let cores: [CoreSet?]

    /// One run on all cores.
    public static let one = RunSlots(cores: [nil])

    private init(cores: [CoreSet?]) { self.cores = cores }

    /// So many runs at once, on so many cores each.
    ///
    /// - Parameters:
    ///   - coresPerRun: an equal share of all by default.
    ///   - available: the cores that there are.
    /// - Throws: `JobRequirements.Violation` where there are not as many.
    public init(runs: Int, coresPerRun: Int?, available: CoreSet) throws {
        if runs == 1, coresPerRun == nil {
            self = .one
            return
        }
        let each = coresPerRun ?? max(1, available.cores.count / max(1, runs))
        let (needed, overflow) = runs.multipliedReportingOverflow(by: each)
        guard runs > 0, each > 0, !overflow, needed <= available.cores.count else {
            throw JobRequirements.Violation(
                description:
                    "\(runs) runs at once of \(each) cores each; this machine grants \(available.cores.count) cores")
        }
        cores = (0..<runs).map { index in CoreSet(Array(available.cores[(index * each)..<((index + 1) * each)])) }
    }
}

/// Lets one after the other in, in the order of their coming.
actor Turnstile {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Runs `body` once everybody who came before is through.
    func pass<Result: Sendable>(_ body: @Sendable () async throws -> Result) async rethrows -> Result {
        if isTaken {
            await withCheckedContinuation { waiting.append($0) }
        } else {
            isTaken = true
        }
        defer {
            if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() }
        }
        return try await body()
    }
}
