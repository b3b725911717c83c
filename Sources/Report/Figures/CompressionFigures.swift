import Jobs
import Runs

/// How a run's gradients were compressed, and what that saved.
public struct CompressionFigures: Sendable, Encodable {
    /// The kind, as the job names it.
    public var kind: String
    /// The share of each lane's gradient that is exchanged at a step; top-k alone.
    public var density: Double?
    /// After so many steps all that was held back is exchanged; top-k alone.
    public var flushEverySteps: Int?
    /// Gradient bytes that all workers together sent in a step: the mean over steps. This and what follows is nil where
    /// nothing was exchanged.
    public var sentBytesPerStep: Double?
    /// What they would have been as f32.
    public var uncompressedBytesPerStep: Double?
    /// The difference, and its share.
    public var savedBytesPerStep: Double?
    public var savedShare: Double?

    /// The figures of `record`; nil where gradients were exchanged as they are.
    init?(_ record: RunRecord) {
        guard let compression = record.run.job.compression else { return nil }
        kind = compression.name
        if case .topK(let settings) = compression {
            density = settings.density
            flushEverySteps = settings.flushEvery
        }
        let steps = Double(Set(record.workerSteps.map(\.step)).count)
        let sent = record.workerSteps.reduce(0.0) { $0 + Double($1.sent.count) }
        let whole = record.workerSteps.reduce(0.0) { $0 + Double(($1.uncompressed ?? $1.sent).count) }
        guard whole > 0 else { return }
        sentBytesPerStep = sent / steps
        uncompressedBytesPerStep = whole / steps
        savedBytesPerStep = (whole - sent) / steps
        savedShare = 1 - sent / whole
    }

    /// What was done to gradients and what that saved, with the JSON Pointer `key` to these figures.
    func phrase(_ key: String, over transport: Transport?) -> Phrase {
        let method: Phrase =
            switch kind {
            case "bf16": "gradients and their sums rounded to bfloat16"
            case "fp16": "gradients and their sums rounded to fp16"
            default:
                """
                \(density, .share, key + "/density") of each lane’s gradient at a step, all of it every \
                \(flushEverySteps.map(Double.init), .count, key + "/flush_every_steps") steps
                """
            }
        guard savedShare != nil else { return method }
        let saving: Phrase = """
            ; \(sentBytesPerStep, .bytes, key + "/sent_bytes_per_step") exchanged a step instead of \
            \(uncompressedBytesPerStep, .bytes, key + "/uncompressed_bytes_per_step"), \
            \(savedShare, .share, key + "/saved_share") saved
            """
        let isShared = transport == .sharedMemory
        return method + saving + (isShared ? " (what workers read in each other’s memory they read as f32)" : "")
    }
}
