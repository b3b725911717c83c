import Foundation
import Jobs
import Runs

/// One run as a result log in MLPerf's form: lines of `:::MLLOG` and a JSON object each (mlcommons/logging,
/// mlperf_logging/mllog), with the keys that the compliance checker's rules of BERT name.
///
/// It is a log of a job of ours in the open division's form. It is no MLPerf result: the job's text, network, target and
/// number of runs are its own, caches were not cleared, and nobody has verified it. The log says so in its first lines, which
/// the checker passes over.
public struct MLPerfLog: Sendable {
    private let record: RunRecord
    private let wall: RunWallClock

    /// A value of a line.
    private enum Value: Encodable {
        case none
        case text(String)
        case number(Double)
        case count(Int)
        case flag(Bool)

        /// `value` with the digits that a job file has.
        static func float(_ value: Float) -> Value { .number(Double(value.description) ?? Double(value)) }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .none: try container.encodeNil()
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .count(let count): try container.encode(count)
            case .flag(let flag): try container.encode(flag)
            }
        }
    }

    private enum EventType: String, Encodable {
        case point = "POINT_IN_TIME"
        case start = "INTERVAL_START"
        case end = "INTERVAL_END"
    }

    private struct Line: Encodable {
        var namespace = ""
        var timeMs: Int
        var eventType: EventType
        var key: String
        var value: Value
        var metadata: [String: Value]
    }

    /// The log of `record`.
    ///
    /// - Throws: `ReportError.notLogged` where the run never got to its first step or has not ended.
    public init(_ record: RunRecord) throws {
        guard record.run.state.isFinal, !record.steps.isEmpty, let wall = RunWallClock(record) else {
            throw ReportError.notLogged(run: record.run.id.text)
        }
        self.record = record
        self.wall = wall
    }

    /// The log's text.
    ///
    /// - Throws: `ReportError.cannotEncode`.
    public func render() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        do {
            let lines = try (submission + initialisation + settings + training).map {
                ":::MLLOG " + String(decoding: try encoder.encode($0), as: UTF8.self)
            }
            return (Self.preface + lines).joined(separator: "\n") + "\n"
        } catch {
            throw ReportError.cannotEncode(detail: String(describing: error))
        }
    }

    /// Writes the log of each of `records`: a single one to `path`, several beside each other with their ids before the
    /// name's end. Each appears whole or not at all.
    ///
    /// - Returns: the paths.
    /// - Throws: `ReportError`.
    public static func write(_ records: [RunRecord], to path: String) throws -> [String] {
        let target = URL(fileURLWithPath: path)
        let (stem, end) = (target.deletingPathExtension().lastPathComponent, target.pathExtension)
        let files = try records.map { record in
            let name =
                records.count == 1
                ? target.lastPathComponent : "\(stem)-\(record.run.id)" + (end.isEmpty ? "" : "." + end)
            return (name: name, data: Data(try MLPerfLog(record).render().utf8))
        }
        return try ReportWriter.put(files, into: target.deletingLastPathComponent().path)
    }

    private static let preface = [
        "# Written by Wafermark in the form of an MLPerf Training log (open division). It is not an MLPerf result and has not",
        "# been verified by MLCommons: text, network, target and number of runs are the job's own, not the benchmark's.",
    ]

    private func line(
        _ key: String, _ value: Value, at date: Date, _ type: EventType = .point, _ metadata: [String: Value] = [:]
    ) -> Line {
        var metadata = metadata
        metadata["file"] = .text("wafermark")
        metadata["lineno"] = .count(0)
        return Line(
            timeMs: Int((date.timeIntervalSince1970 * 1_000).rounded()), eventType: type, key: key, value: value,
            metadata: metadata)
    }

    // MARK: The parts, in order

    private var submission: [Line] {
        let run = record.run
        let place =
            run.backend == .wafer
            ? "wafer backend" : "cluster of \(run.workers) worker processes"
        let machine = run.machine.map { " on \($0.processor), \($0.cores) cores" } ?? ""
        let facts: [(String, String)] = [
            ("submission_benchmark", "bert"), ("submission_division", "open"), ("submission_status", "research"),
            ("submission_org", "not submitted"), ("submission_platform", place + machine),
        ]
        return facts.map { line($0, .text(PrintableText.plain($1)), at: begin) }
    }

    private var begin: Date { wall.prepared.map { min($0, wall.start) } ?? wall.start }

    private var initialisation: [Line] {
        [
            // The key must be there; nothing was cleared.
            line("cache_clear", .flag(false), at: begin),
            line("init_start", .none, at: begin, .start),
        ]
    }

    /// What was trained, told before the clock starts.
    private var settings: [Line] {
        let job = record.run.job
        let optimizer = job.optimizer
        let first = job.phases.first
        let lamb = optimizer.kind == .lamb
        let accumulation = first.map { phase in
            let share = max(1, phase.globalBatch / max(1, record.run.workers))
            return (share + phase.microBatch - 1) / max(1, phase.microBatch)
        }
        let facts: [(String, Value)] = [
            ("seed", .text(String(job.seed))),
            ("global_batch_size", .count(first?.globalBatch ?? 0)),
            ("gradient_accumulation_steps", .count(accumulation ?? 1)),
            ("max_sequence_length", .count(job.phases.map(\.sequence).max() ?? 0)),
            // Sequences that were trained on; a record doesn't say how many the text would have given.
            ("train_samples", .count(record.run.outcome?.examples?.examples ?? samples(after: record.steps.count))),
            ("eval_samples", .count(job.evaluation.sequences)),
            ("opt_name", .text(lamb ? "lamb" : "adamw")),
            ("opt_base_learning_rate", .float(first?.schedule.peak ?? 0)),
            // The rules of BERT name LAMB's settings; with AdamW these are AdamW's.
            ("opt_lamb_epsilon", .float(optimizer.epsilon)),
            ("opt_lamb_beta_1", .float(optimizer.beta1)),
            ("opt_lamb_beta_2", .float(optimizer.beta2)),
            ("opt_lamb_weight_decay_rate", .float(optimizer.weightDecay)),
            ("opt_learning_rate_training_steps", .count(job.totalSteps)),
            ("opt_learning_rate_warmup_steps", .count(first?.schedule.warmupSteps ?? 0)),
            ("num_warmup_steps", .count(first?.schedule.warmupSteps ?? 0)), ("start_warmup_step", .count(0)),
        ]
        return facts.map { line($0, $1, at: wall.start) }
            + [
                line("init_stop", .none, at: wall.start, .end), line("run_start", .none, at: wall.start, .start),
            ]
    }

    /// Stretches of training, each with its evaluation. The benchmark counts its epochs in samples, and so does this.
    private var training: [Line] {
        var lines: [Line] = []
        var since = 0
        var begun = wall.start
        for evaluation in record.evaluations {
            let done = samples(after: evaluation.stepsMade)
            let block: [String: Value] = [
                "first_epoch_num": .count(since), "epoch_count": .count(max(1, done - since)),
                "samples_count": .count(done - since),
            ]
            let place: [String: Value] = ["epoch_num": .count(done), "samples_count": .count(done)]
            // What an evaluation took is on no record of its own: it began when its last step ended.
            let stepEnd = record.steps.last { $0.step.index < evaluation.stepsMade }?.elapsed.seconds ?? 0
            let trained = max(begun, wall.date(at: min(stepEnd, evaluation.elapsed.seconds)))
            let evaluated = max(trained, wall.date(at: evaluation.elapsed.seconds))
            lines += [
                line("block_start", .none, at: begun, .start, block),
                line("block_stop", .none, at: trained, .end, block),
                line("eval_start", .none, at: trained, .start, place),
                line("eval_accuracy", .number(evaluation.maskedAccuracy), at: evaluated, .point, place),
                line("eval_stop", .none, at: evaluated, .end, place),
            ]
            (since, begun) = (done, evaluated)
        }
        let isMet = record.run.outcome?.timeToTarget != nil
        let stop = max(begun, (isMet ? wall.targetReached : nil) ?? wall.ended ?? begun)
        let status: [String: Value] = [
            "status": .text(isMet ? MLPerfTimes.Status.success.rawValue : MLPerfTimes.Status.aborted.rawValue)
        ]
        return lines + [line("run_stop", .none, at: stop, .end, status)]
    }

    /// Sequences of the first `steps` steps.
    private func samples(after steps: Int) -> Int {
        record.steps.reduce(0) { $0 + ($1.step.index < steps ? $1.sequences : 0) }
    }
}
