import Jobs
import PerformanceModel

/// Measures what the engine's kernels reach on this machine, by width, sequence length and lanes side by side.
struct KernelCalibration {
    /// Widths of the named sizes up to base, and the two lengths of BERT's phases.
    private static let widths = [128, 256, 512, 768]
    private static let lengths = [128, 512]
    /// Tokens of a lane's pass: a lone sequence, as many as fill the products, and, where that does not take long, so many
    /// that a layer's activations fit no core's cache any more.
    private static func tokens(width: Int, length: Int) -> [Int] {
        (length < 512 ? [length, 512] : [length]) + (width <= 256 ? [2_048] : [])
    }

    /// One lane, and one on each core.
    private var groups: [KernelGroup]

    /// Nothing measured yet, of a machine with `cores`.
    init(cores: Int) {
        groups = Set([1, cores]).sorted().map { busy in
            let reference = KernelShape.reference(busy: busy)
            let shapes = Self.widths.flatMap { width in
                Self.lengths.flatMap { length in
                    Self.tokens(width: width, length: length).map {
                        KernelShape(hidden: width, sequence: length, tokens: $0, busy: busy)
                    }
                }
            }
            return KernelGroup(shapes.filter { $0 != reference }, beside: reference)
        }
    }

    /// Whether every shape was measured often enough.
    var isEnough: Bool { groups.allSatisfy(\.isEnough) }

    /// How much longer than undisturbed kernels took in the median, as a share: the mean over lanes side by side.
    var disturbance: Double { mean(groups.map(\.disturbance)) ?? 0 }

    /// Measures once more every shape that was not measured often enough. Cancelling the task ends it after the shape that
    /// is being measured.
    mutating func round() async throws {
        for index in groups.indices { try await groups[index].round() }
    }

    /// The rates at each shape.
    var rates: [HostMachine.Rates] {
        var rates = AttentionSplit.split(groups.flatMap(\.rates).map { ($0, KernelShape(of: $0).work) })
        // What lanes side by side take beyond their kernels is mostly waiting for each other, which no pass contains.
        let alone = rates.filter { $0.busy == 1 }
        for index in rates.indices {
            let lane = alone.first {
                ($0.hidden, $0.sequence, $0.tokens)
                    == (rates[index].hidden, rates[index].sequence, rates[index].tokens)
            }
            rates[index].overhead = lane?.overhead ?? rates[index].overhead
        }
        return rates
    }
}
