import Coordinator
import Foundation
import Jobs
import Runs
import TestSupport
import Testing

@Suite("F22, F23: a network that fails between workers, and between them and the coordinator", .serialized)
struct NetworkFaultTests {
    private static let steps = 60
    private static let reference = Result { try ElasticRun.reference(steps: steps) }

    struct Case: Sendable, CustomTestStringConvertible {
        var fault: NetworkFault
        var link: NetworkLink
        var testDescription: String { "\(fault) on \(link)" }
    }

    private static let cases: [Case] = NetworkLink.allCases.flatMap { link in
        [
            NetworkFault.delay(seconds: 3), .slice, .cut, .halfOpen, .oneWay(fromClient: true),
            .oneWay(fromClient: false),
        ].map { Case(fault: $0, link: link) }
    }

    @Test(
        "a connection that is delayed, cut, half open or deaf leaves no trace in the bits, and nobody hangs",
        arguments: cases)
    func disturbed(_ disturbance: Case) async throws {
        let run = try ElasticRun(
            steps: Self.steps, workers: 3, serve: ["--stall-seconds", "2"],
            environment: ["WAFERMARK_FAULTS": "slow@forward:0"], network: true)
        let network = try #require(run.network)
        let isUnderWay = Eventually.holds(within: 60) { run.stepsMade > 8 }
        #expect(isUnderWay, "\(run.words)")
        #expect(await network.apply(disturbance.fault, to: disturbance.link, choice: 1), "no connection to disturb")
        try run.waitForEnd(seconds: 180)
        try run.expect(like: Self.reference.get())
        await network.close()
    }

    @Test("two halves that do not hear each other for a while come together again")
    func partition() async throws {
        let run = try ElasticRun(
            steps: Self.steps, workers: 4, serve: ["--stall-seconds", "2"],
            environment: ["WAFERMARK_FAULTS": "slow@forward:0"], network: true)
        let network = try #require(run.network)
        let isUnderWay = Eventually.holds(within: 60) { run.stepsMade > 8 }
        #expect(isUnderWay, "\(run.words)")
        for choice in 0..<8 { _ = await network.apply(.halfOpen, to: .peers, choice: choice) }
        try run.waitForEnd(seconds: 180)
        try run.expect(like: Self.reference.get())
        #expect(run.words.contains { $0.contains("messages were lost") }, "\(run.words)")
        #expect(!run.events.contains { $0.kind == .workerLost }, "\(run.words)")
        await network.close()
    }

    @Test("a worker whose state did not arrive, because the connection was cut, is given it again")
    func stateTransfer() async throws {
        let run = try ElasticRun(
            steps: Self.steps, workers: 2, serve: ["--stall-seconds", "2"],
            environment: ["WAFERMARK_FAULTS": "slow@forward:0"], network: true)
        let network = try #require(run.network)
        let isUnderWay = Eventually.holds(within: 60) { run.stepsMade > 8 }
        #expect(isUnderWay, "\(run.words)")
        let joined = try Program.start(["worker", "--join", "ipc://\(run.state)/sockets/\(run.id)"])
        for choice in 0..<400 {
            _ = await network.apply(.cut, to: .peers, choice: choice)
            try await Task.sleep(for: .milliseconds(5))
        }
        try run.waitForEnd(seconds: 180)
        try run.expect(like: Self.reference.get())
        _ = try joined.wait(seconds: 30)
        await network.close()
    }
}
