import Foundation
import Jobs
import PerformanceModel
import Report
import Runs
import Testing

@Suite("Traces of runs")
struct TraceTests {
    private static let record = FabricatedRuns.record(
        "aaaaaaaa", backend: .cluster, workers: 4, job: FabricatedRuns.job(steps: 6), stepTime: 0.2)

    private static func object(_ data: Data) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test("the graph of a run's step is the one that its job gives without running")
    func graphFromJobAlone() throws {
        let run = Self.record.run
        let vocabulary = try #require(run.corpus?.vocabularySize)
        let alone = try StepGraph(
            job: run.job, phase: 0, vocabularySize: vocabulary, ranks: 4,
            bucketBytes: ExchangeSettings.usualBucket.count)
        let graph = try #require(try RunTrace(Self.record).graphs.first)
        #expect(graph == alone)
        #expect(graph.nodes.contains { $0.kind == .exchange })
        #expect(graph.nodes.allSatisfy { node in node.dependencies.allSatisfy { $0 < node.id } })
        let exchanged = graph.nodes.filter { $0.kind == .exchange }.reduce(0) { $0 + $1.bytes }
        #expect(exchanged == Double(OperatorGraph(graph.workload).parameterCount * 4))
    }

    @Test("Perfetto gets a track a worker, slices that don't overlap, and a flow whose ends lie in slices")
    func perfetto() throws {
        let document = try Self.object(try PerfettoTrace(RunTrace(Self.record)).json())
        let events = try #require(document["traceEvents"] as? [[String: Any]])
        let names = events.filter { $0["name"] as? String == "thread_name" }
        #expect(names.count == 4)
        for track in 0..<4 {
            let parts = events.filter { $0["tid"] as? Int == track && $0["cat"] as? String == "host" }
            let times = try parts.map {
                (try #require($0["ts"] as? Double), try #require($0["dur"] as? Double))
            }
            #expect(!times.isEmpty)
            for (one, next) in zip(times, times.dropFirst()) { #expect(one.0 + one.1 <= next.0 + 1e-3) }
        }
        let (sent, arrived) = (
            events.filter { $0["ph"] as? String == "s" }, events.filter { $0["ph"] as? String == "f" }
        )
        #expect(sent.count == arrived.count && sent.count == 6 * 4 * 3)
        #expect(Set(sent.compactMap { $0["id"] as? Int }).count == sent.count)
    }

    @Test("stands on the starts that workers measured, and lays parts out in their order where they did not")
    func starts() throws {
        let trace = try RunTrace(Self.record)
        for worker in Self.record.workerSteps {
            let timeline = try #require(worker.timeline)
            let slices = trace.slices.filter { $0.rank == worker.rank && $0.step == worker.step }
            let compute = try #require(slices.first { $0.activity == .compute })
            #expect(abs(compute.start - (timeline.started + timeline.parts.compute).seconds) < 1e-9)
            let optimizer = try #require(slices.first { $0.activity == .optimizer })
            #expect(abs(optimizer.start - (timeline.started + timeline.parts.optimizer).seconds) < 1e-9)
            let waited = slices.filter { $0.activity == .waiting || $0.activity == .commit }
            #expect(abs(waited.reduce(0) { $0 + $1.duration } - worker.waiting.seconds) < 1e-9)
        }
        var older = Self.record
        for index in older.workerSteps.indices { older.workerSteps[index].timeline = nil }
        let laidOut = try RunTrace(older).slices
        #expect(laidOut.allSatisfy { $0.activity != .commit || $0.duration == 0 })
        for (one, next) in zip(laidOut, laidOut.dropFirst()) where one.rank == next.rank && one.step == next.step {
            #expect(abs(one.end - next.start) < 1e-12)
        }
    }

    @Test("a worker that begins before the first one begins at no time below zero")
    func earlyWorker() throws {
        var record = Self.record
        for index in record.workerSteps.indices where record.workerSteps[index].rank == WorkerRank(2) {
            record.workerSteps[index].timeline?.started += HostSeconds(-0.004)
        }
        let slices = try RunTrace(record).slices
        #expect(slices.allSatisfy { $0.start >= 0 } && slices.contains { $0.start == 0 && $0.rank == WorkerRank(2) })
    }

    @Test("messages go to those that the algorithm sends to")
    func routes() throws {
        var record = Self.record
        record.run.exchange = ExchangeSettings(algorithm: .ring, transport: .ipc)
        let messages = try RunTrace(record).messages
        #expect(messages.count == 6 * 4)
        #expect(messages.allSatisfy { $0.receiver.index == ($0.sender.index + 1) % 4 && $0.bytes == 13_500_000 })
    }

    @Test("Chakra gets every node with its dependencies, and messages as collectives")
    func chakra() throws {
        let document = try Self.object(try ChakraTrace(RunTrace(Self.record)).json())
        let nodes = try #require(document["nodes"] as? [[String: Any]])
        let ids = nodes.compactMap { $0["id"] as? String }
        #expect(Set(ids).count == nodes.count)
        let known = Set(ids)
        #expect(nodes.allSatisfy { ($0["dataDeps"] as? [String] ?? []).allSatisfy(known.contains) })
        #expect(Set(nodes.compactMap { $0["type"] as? String }) == ["COMP_NODE", "COMM_COLL_NODE"])
        for node in nodes {
            let attributes = try #require(node["attr"] as? [[String: Any]])
            func value(_ name: String, _ kind: String) -> Any? {
                attributes.first { $0["name"] as? String == name }?[kind]
            }
            #expect(value("is_cpu_op", "boolVal") as? Bool == false)
            #expect((value("tensor_size", "uint64Val") as? String).flatMap { UInt64($0) } != nil)
            guard node["type"] as? String == "COMM_COLL_NODE" else { continue }
            #expect(value("comm_type", "int64Val") as? String == "0")
            #expect((value("comm_size", "int64Val") as? String).flatMap { Int64($0) } ?? 0 > 0)
        }
    }

    @Test("a lone worker sends nothing")
    func alone() throws {
        let record = FabricatedRuns.record(
            "bbbbbbbb", backend: .wafer, job: FabricatedRuns.job(steps: 3), stepTime: 0.2)
        let trace = try RunTrace(record)
        #expect(trace.messages.isEmpty)
        #expect(trace.graphs.first?.nodes.contains { $0.kind == .exchange } == false)
    }
}
