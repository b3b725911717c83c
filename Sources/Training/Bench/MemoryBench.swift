import BERT
import Jobs
import Kernels

/// Measures what a training process keeps in memory, part by part: the answer of `wafermark bench memory`.
///
/// A process can be asked once: its peak is that of all it has done.
public enum MemoryBench {
    /// Bytes in memory. The parts add up to the peak.
    public struct Result: Hashable, Sendable, Codable {
        /// Parameters of the network.
        public var parameters: Int
        /// The process's largest resident memory.
        public var peakRssBytes: Int
        /// The weights.
        public var weightsBytes: Int
        /// Both moments of each weight.
        public var optimizerStateBytes: Int
        /// Gradients of all threads at the end of a step.
        public var gradientsBytes: Int
        /// What all threads keep of a forward pass, and their scratch memory.
        public var activationsBytes: Int
        /// Before anything was trained: the program, its libraries and runtime.
        public var programBytes: Int
        /// All else: oneDNN's code and packed operands, examples, and gradients that were given back before the step ended.
        public var libraryBytes: Int
    }

    /// Makes two steps and looks what is in memory.
    ///
    /// - Throws: `TrainingError.plan` for settings that no step can be made of; `BERTError`.
    public static func run(_ settings: BenchSettings) throws -> Result {
        let program = HostProcess.residentBytes
        var steps = try BenchSteps(settings)
        try steps.run(2, measured: false)
        let peak = HostProcess.peakResidentBytes
        let trainer = steps.trainer
        let weights = trainer.weights.residentBytes
        let state = trainer.optimizer.firstMoments.residentBytes + trainer.optimizer.secondMoments.residentBytes
        let gradients = trainer.slots.reduce(0) { $0 + $1.residentBytes }
        let activations = trainer.workers.reduce(0) { $0 + ($1.activations?.residentBytes ?? 0) }
        return Result(
            parameters: trainer.plan.layout.parameterCount, peakRssBytes: peak, weightsBytes: weights,
            optimizerStateBytes: state, gradientsBytes: gradients, activationsBytes: activations,
            programBytes: program,
            libraryBytes: max(0, peak - weights - state - gradients - activations - program))
    }
}
