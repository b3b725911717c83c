import Foundation
import Jobs
import PerformanceModel

/// How much slower this machine is now than when it was calibrated, since something else runs on it: kernels that are
/// measured again, beside what the profile says of them.
struct HostPace: Sendable {
    /// Host seconds that they are measured for, about.
    private static let seconds = 1.0

    /// The profile's entry whose kernels are measured.
    private let rates: HostMachine.Rates

    /// The pace of the kernels of `host` that are nearest to those of passes over `tokens` tokens; nil where the profile has
    /// none that a network could have.
    ///
    /// - Parameters:
    ///   - hidden: the network's width.
    ///   - sequence: tokens of a sequence.
    ///   - busy: lanes side by side.
    init?(of host: HostMachine, hidden: Int, sequence: Int, tokens: Int, busy: Int) {
        /// By how many doublings the entry is another one.
        func distance(_ rates: HostMachine.Rates) -> Double {
            [(rates.hidden, hidden), (rates.sequence, sequence), (rates.tokens, tokens), (rates.busy, busy)]
                .reduce(0) { $0 + abs(log2(Double($1.0) / Double(max(1, $1.1)))) }
        }
        let known = host.rates.filter { $0.hidden.isMultiple(of: 64) && $0.tokens >= $0.sequence }
        guard let nearest = known.min(by: { distance($0) < distance($1) }) else { return nil }
        rates = nearest
    }

    /// What the kernels take now, over what they took when the machine was calibrated.
    func slowdown() async throws -> Double {
        try Task.checkCancellation()
        let shape = KernelShape(hidden: rates.hidden, sequence: rates.sequence, tokens: rates.tokens, busy: rates.busy)
        let measured = try await OwnThread.run { try shape.measure(seconds: Self.seconds) }
        return measured.kernelSeconds / shape.kernelSeconds(at: rates)
    }
}
