import Foundation
import Jobs

/// Writes a run's trace as the JSON that Perfetto and Chrome read (the Trace Event Format): a track a worker, a slice a
/// part of a step, and a flow a message.
public struct PerfettoTrace {
    private let trace: RunTrace

    /// A writer of `trace`.
    public init(_ trace: RunTrace) { self.trace = trace }

    /// One event. Times are in microseconds of host time.
    private struct Event: Encodable {
        var name: String
        var ph: String
        var pid = 1
        var tid: Int
        var ts: Double?
        var dur: Double?
        var id: Int?
        var bp: String?
        var cat: String?
        var args: [String: String]?
    }

    private struct Document: Encodable {
        var displayTimeUnit = "ms"
        var otherData: [String: String]
        var traceEvents: [Event]
    }

    /// The document.
    public func json() throws -> Data {
        var events = [
            Event(
                name: "process_name", ph: "M", tid: 0,
                args: ["name": "run \(trace.run.id) \(trace.run.job.name), \(trace.run.backend.rawValue)"])
        ]
        for rank in Set(trace.slices.map(\.rank)).sorted() {
            events.append(
                Event(name: "thread_name", ph: "M", tid: rank.index, args: ["name": "worker \(rank.index)"]))
        }
        events += stepEvents
        for slice in trace.slices where slice.duration > 0 {
            events.append(
                Event(
                    name: slice.activity.rawValue, ph: "X", tid: slice.rank.index, ts: slice.start * 1e6,
                    dur: slice.duration * 1e6, cat: "host", args: ["step": "\(slice.step)"]))
        }
        for (id, message) in trace.messages.enumerated() {
            let arguments = ["bytes": "\(message.bytes)", "step": "\(message.step)"]
            // A flow leaves within the slice that ends when the passes do, and arrives in the one that ends with the sum.
            events.append(
                Event(
                    name: "gradient", ph: "s", tid: message.sender.index, ts: message.sent * 1e6 - 0.5, id: id,
                    cat: "message", args: arguments))
            events.append(
                Event(
                    name: "gradient", ph: "f", tid: message.receiver.index, ts: message.received * 1e6 - 0.25, id: id,
                    bp: "e", cat: "message", args: arguments))
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(
            Document(
                otherData: ["clock": HostSeconds.clock, "run": "\(trace.run.id)", "job": trace.run.job.name],
                traceEvents: events))
    }

    /// A slice around each worker's step, in which its parts lie.
    private var stepEvents: [Event] {
        var events: [Event] = []
        var index = trace.slices.startIndex
        while index < trace.slices.endIndex {
            let first = trace.slices[index]
            let parts = trace.slices[index...].prefix { $0.rank == first.rank && $0.step == first.step }
            events.append(
                Event(
                    name: "step \(first.step)", ph: "X", tid: first.rank.index, ts: first.start * 1e6,
                    dur: ((parts.last?.end ?? first.end) - first.start) * 1e6, cat: "step"))
            index = parts.endIndex
        }
        return events
    }
}
