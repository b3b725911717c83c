import Foundation
import Jobs
import PerformanceModel

/// How much slower this machine is now than when it was calibrated, since something else runs on it: kernels that are
/// measured again, beside what the profile says of them.
struct HostPace: Sendable {
    /// Host seconds that they are measured for at a time, about: shorter than most of what disturbs them.
    private static let seconds = 0.25
    /// How many times in a row: so that the median has nothing of one that met a stall.
    private static let times = 4

    /// The profile's entry whose kernels are measured.
    private let rates: HostMachine.Rates
    /// Whether the slowest lane counts, and not the mean one.
    private let waitsForSlowest: Bool

    /// The pace of the kernels of `host` that are nearest to those of passes over `tokens` tokens; nil where the profile has
    /// none that a network could have.
    ///
    /// A worker with a core of its own holds the others up when that core is slowed; where there are more workers than
    /// cores, the system deals the cores' time among them.
    ///
    /// - Parameters:
    ///   - hidden: the network's width.
    ///   - sequence: tokens of a sequence.
    ///   - workers: lanes that are computed side by side.
    init?(of host: HostMachine, hidden: Int, sequence: Int, tokens: Int, workers: Int) {
        let busy = min(workers, host.cores)
        /// By how many doublings the entry is another one.
        func distance(_ rates: HostMachine.Rates) -> Double {
            [(rates.hidden, hidden), (rates.sequence, sequence), (rates.tokens, tokens), (rates.busy, busy)]
                .reduce(0) { $0 + abs(log2(Double($1.0) / Double(max(1, $1.1)))) }
        }
        let known = host.rates.filter { $0.hidden.isMultiple(of: 64) && $0.tokens >= $0.sequence }
        guard let nearest = known.min(by: { distance($0) < distance($1) }) else { return nil }
        rates = nearest
        waitsForSlowest = workers <= host.cores
    }

    /// What the kernels take now, over what they took when the machine was calibrated, some times in a row.
    func slowdowns() async throws -> [Double] {
        let shape = KernelShape(hidden: rates.hidden, sequence: rates.sequence, tokens: rates.tokens, busy: rates.busy)
        var slowdowns: [Double] = []
        for _ in 1...Self.times {
            let now = try await shape.measure(seconds: Self.seconds)
            slowdowns.append(
                (waitsForSlowest ? now.slowestLaneKernelSeconds : now.kernelSeconds) / shape.kernelSeconds(at: rates))
        }
        return slowdowns
    }
}
