import Jobs
import PerformanceModel
import Testing

@Suite("What ways of dealing a step differ by")
struct StepDifferenceTests {
    private static let threads = HostStep.Layout(workers: 1, threads: 2)

    /// What the machine of the tests takes longer one way than the other.
    private static func difference(
        _ longer: HostStep.Layout, _ shorter: HostStep.Layout
    ) throws -> StepDifference {
        let job = StepModelTests.job(globalBatch: 32, microBatch: 4)
        func total(_ layout: HostStep.Layout) throws -> Double {
            try HostStep(job: job, layout: layout, vocabularySize: 4000, on: HostTests.machine).total
        }
        return StepDifference(
            job: job, vocabularySize: 4000, longer: longer, shorter: shorter,
            hostSeconds: try total(longer) - total(shorter))
    }

    @Test("a figure that was forgotten comes back from steps that differ by it")
    func recovers() throws {
        let known = HostTests.machine
        let two = HostStep.Layout(workers: 2)
        let figures: [(WritableKeyPath<HostMachine, Double>, HostStep.Layout, HostStep.Layout)] = [
            (\.controlMicroseconds, two, Self.threads),
            (\.controlMicrosecondsInTurns, HostStep.Layout(workers: 4), Self.threads),
            (\.links.ipc.carryNanosecondsPerElement, HostStep.Layout(workers: 2, transport: .ipc), two),
            (\.links.tcp.carryNanosecondsPerElement, HostStep.Layout(workers: 2, transport: .tcp), two),
        ]
        for (figure, longer, shorter) in figures {
            var machine = known
            machine[keyPath: figure] = 12_345
            try machine.set(figure, from: Self.difference(longer, shorter))
            #expect(abs(machine[keyPath: figure] - known[keyPath: figure]) < 1e-6 * known[keyPath: figure])
        }
    }

    @Test("a difference that the rest explains leaves nothing to the figure, nor does one that it has no part in")
    func nothingLeft() throws {
        var difference = try Self.difference(HostStep.Layout(workers: 2), Self.threads)
        difference.hostSeconds = -1
        var machine = HostTests.machine
        try machine.set(\.controlMicroseconds, from: difference)
        #expect(machine.controlMicroseconds == 0)
        machine = HostTests.machine
        try machine.set(\.controlMicrosecondsInTurns, from: difference)
        #expect(machine.controlMicrosecondsInTurns == 0)
    }

    @Test("more workers than lanes are refused")
    func refuses() throws {
        var difference = try Self.difference(HostStep.Layout(workers: 2), Self.threads)
        difference.longer.workers = 100
        var machine = HostTests.machine
        #expect(throws: PerformanceModelError.self) { try machine.set(\.controlMicroseconds, from: difference) }
    }
}
