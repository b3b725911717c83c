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

    /// Host seconds that a shape is measured for in a round, about.
    private static let secondsEach = 0.5

    private let shapes: [KernelShape]
    /// What was measured of each shape.
    private var measured: [[KernelShape.Measurement]]

    /// Nothing measured yet, of a machine with `cores`.
    init(cores: Int) {
        shapes = Self.shapes(cores: cores)
        measured = shapes.map { _ in [] }
    }

    /// Whether every shape was measured often enough.
    var isEnough: Bool { measured.allSatisfy(Self.isEnough) }

    private static func isEnough(_ measurements: [KernelShape.Measurement]) -> Bool {
        Repetition.isEnough(measurements.map(\.kernelSeconds))
    }

    /// How much longer than in its quickest round a shape's kernels took in the median one: the mean over shapes.
    var excess: Double {
        measured.reduce(0) { $0 + Repetition.excess($1.map(\.kernelSeconds)) } / Double(max(1, measured.count))
    }

    /// Measures once more every shape that was not measured often enough. Cancelling the task ends it after the shape that
    /// is being measured.
    mutating func round() async throws {
        for (place, shape) in shapes.enumerated() where !Self.isEnough(measured[place]) {
            try Task.checkCancellation()
            measured[place].append(try await OwnThread.run { try shape.measure(seconds: Self.secondsEach) })
        }
    }

    private static func shapes(cores: Int) -> [KernelShape] {
        Set([1, cores]).sorted().flatMap { busy in
            widths.flatMap { width in
                lengths.flatMap { length in
                    tokens(width: width, length: length).map {
                        KernelShape(hidden: width, sequence: length, tokens: $0, busy: busy)
                    }
                }
            }
        }
    }

    /// The rates at each shape, all of its quickest round: kernels that were measured one after the other belong together.
    var rates: [HostMachine.Rates] {
        var rates = measured.compactMap { $0.min { $0.kernelSeconds < $1.kernelSeconds }?.rates }
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
