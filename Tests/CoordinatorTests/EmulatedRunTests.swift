import Cluster
import Coordinator
import Foundation
import Jobs
import Runs
import Testing
import Wire

@Suite("The coordinator of an emulated run")
struct EmulatedRunTests {
    /// Steps that no evaluation interrupts, each taking `late` longer than it should.
    private struct Steps {
        var life: Life
        let workers: Int
        var dilation: Double
        private(set) var stepsMade = 0

        init(workers: Int = 2, settings: EmulationSettings, dilation: Double) throws {
            life = try Life(workers: workers, steps: 1_000, emulation: settings)
            self.workers = workers
            self.dilation = dilation
        }

        mutating func begin() -> [RunMachine.Action] {
            var actions = life.prepare()
            for rank in 0..<workers { actions += life.hello(rank) }
            return actions
        }

        /// Makes a step; where the membership ends after it, the next one begins.
        mutating func make(compute: Double = 0.05, optimizer: Double = 0.001, late: Double = 0) -> [RunMachine.Action] {
            var actions: [RunMachine.Action] = []
            for rank in 0..<workers { actions += life.lanes(stepsMade, of: rank) }
            for rank in 0..<workers {
                var report = Reports.step(stepsMade, compute: compute)
                report.timings.optimizer = HostSeconds(optimizer)
                report.emulated = EmulatedStepReport(
                    dilation: dilation, dilated: HostSeconds(1), compute: HostSeconds(compute),
                    optimizer: HostSeconds(optimizer), lateness: HostSeconds(late))
                actions += life.say(rank, .stepReport(report))
            }
            stepsMade += 1
            if actions.commits.contains(where: \.halts) {
                for rank in 0..<workers { actions += life.halted(rank, after: stepsMade) }
                if let changed = actions.dilations.last { dilation = changed }
            }
            if stepsMade.isMultiple(of: 2) {
                for rank in 0..<workers { actions += life.evaluation(after: stepsMade, of: rank) }
            }
            return actions
        }
    }

    private func device(_ assignment: Assignment) throws -> EmulatedDevice {
        try JSONDecoder().decode(EmulatedDevice.self, from: Data(assignment.device))
    }

    @Test("workers send to a fabric, and stand for devices, from the first step where the dilation is given")
    func given() throws {
        var steps = try Steps(settings: EmulationSettings(dilation: 20), dilation: 20)
        let actions = steps.begin()
        #expect(actions.dilations == [20])
        let fabric = try #require(actions.fabrics.first)
        #expect(fabric.dilation == 20 && fabric.epoch == 1 && fabric.pairs.count == 2)
        for assignment in actions.assignments {
            #expect(try device(assignment).dilation == 20)
            let other = try #require(assignment.peers.first { $0.rank != assignment.rank })
            let pair = fabric.pairs.first { $0.sender == assignment.rank && $0.receiver == other.rank }
            #expect(other.endpoint == pair?.inlet)
            #expect(other.endpoint == "ipc:///sockets/run-f1-\(assignment.rank)-\(other.rank)")
            // What it takes itself, the fabric delivers.
            let own = assignment.peers.first { $0.rank == assignment.rank }?.endpoint
            #expect(own == fabric.outlets.first { $0.rank == assignment.rank }?.endpoint)
        }
        let made = steps.make() + steps.make()
        #expect(made.recorded == [0, 1])
        // In the first step connections are made.
        let emulated = made.compactMap { if case .record(let closed) = $0 { closed.step.emulated } else { nil } }
        #expect(emulated == [EmulatedStep(duration: EmulatedSeconds(1.0 / 20), dilation: 20, lateness: .zero)])
    }

    @Test("the host is measured first, and what it needs decides the dilation of the next membership")
    func measured() throws {
        var steps = try Steps(settings: EmulationSettings(), dilation: 0)
        let first = steps.begin()
        #expect(first.dilations.isEmpty)
        #expect(first.fabrics.map(\.dilation) == [0])
        var actions: [RunMachine.Action] = []
        for _ in 0..<8 where actions.dilations.isEmpty { actions += steps.make(compute: 0.2) }
        let dilation = try #require(actions.dilations.first)
        #expect(steps.stepsMade < 8)
        #expect(actions.fabrics.map(\.dilation) == [dilation])
        #expect(try actions.assignments.allSatisfy { try device($0).dilation == dilation })
        // The emulated device takes some milliseconds, and the host a fifth of a second.
        let computing = try device(actions.assignments[0]).schedules[0].computeSeconds
        #expect(dilation * computing >= 1.5 * 0.2 * 0.99)
        // A steady host changes nothing any more.
        var later: [RunMachine.Action] = []
        for _ in 0..<10 { later += steps.make(compute: 0.2) }
        #expect(later.dilations.isEmpty && later.fabrics.isEmpty)
    }

    @Test("steps in which the host falls behind are marked, and raise a dilation that was measured")
    func late() throws {
        var steps = try Steps(settings: EmulationSettings(), dilation: 0)
        var actions = steps.begin()
        for _ in 0..<8 where actions.dilations.isEmpty { actions += steps.make() }
        let before = steps.dilation
        var later: [RunMachine.Action] = []
        for _ in 0..<6 where later.dilations.isEmpty { later += steps.make(late: 0.5) }
        #expect(later.dilations == [2 * before])
        let marked = later.compactMap { if case .record(let closed) = $0 { closed.step.emulated } else { nil } }
        #expect(!marked.isEmpty && marked.allSatisfy(\.isLate))
        #expect(later.words.contains { $0.contains("fell behind") })
    }

    @Test("a dilation that was asked for is kept, however late the host is")
    func kept() throws {
        var steps = try Steps(settings: EmulationSettings(dilation: 20), dilation: 20)
        _ = steps.begin()
        var actions: [RunMachine.Action] = []
        for _ in 0..<10 { actions += steps.make(late: 0.5) }
        #expect(actions.dilations.isEmpty)
        #expect(actions.words.count { $0.contains("fell behind") } == 3)
    }

    @Test("the run fails where its fabric ends, and not where one of an earlier membership does")
    func fabricEnds() throws {
        var steps = try Steps(settings: EmulationSettings(dilation: 20), dilation: 20)
        _ = steps.begin()
        #expect(steps.life.handle(.fabricExited(epoch: 0, .signal(15), lastWords: nil)).isEmpty)
        let failure = steps.life.handle(.fabricExited(epoch: 1, .signal(9), lastWords: "oh")).failure
        #expect(failure?.contains("fabric") == true && failure?.contains("SIGKILL") == true)
    }
}
