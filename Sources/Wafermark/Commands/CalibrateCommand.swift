import ArgumentParser
import Coordinator
import Foundation
import Jobs
import Kernels
import PerformanceModel

/// `wafermark calibrate`: this machine's profile, so that its time can be predicted.
struct CalibrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate", abstract: "Measure this machine, for 'predict --hardware host'.",
        discussion: """
            Measures matrix products by shape, the engine's other kernels, the optimizer,
            memory, the exchange of gradients between two workers by each transport
            (shm, ipc, tcp), and what agreeing on a step costs: some minutes. Close other
            programs first. The profile goes into the state directory (host.yaml);
            'wafermark validate --host' says how well it predicts.
            """)

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    /// Times that everything but the exchange is measured, so that what slows a machine for some seconds spoils no figure.
    private static let rounds = 5

    private struct Document: Encodable {
        var path: String
        var clock = HostSeconds.clock
        var host: HostMachine
    }

    func run() async throws {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let (rates, memory) = try await OwnThread.run {
            let rounds = try (1...Self.rounds).map { round in
                Console.diagnose("kernels, round \(round) of \(Self.rounds)")
                let kernels = try KernelCalibration().run(cores: cores)
                Console.diagnose("optimizer and memory")
                return (kernels: kernels, memory: try MemoryCalibration().run(cores: cores))
            }
            return (
                KernelCalibration.undisturbed(rounds.map(\.kernels)),
                MemoryCalibration.undisturbed(rounds[0].memory, rounds.dropFirst().map(\.memory))
            )
        }
        let executable = try ThisProgram.executable()
        let links = try await Interruption.cancels {
            try await ExchangeCalibration().run(
                executable: executable, streams: memory.streams
            ) { Console.diagnose($0) }
        }
        var host = HostMachine(
            processor: ThisProgram.machine.processor, cores: cores, instructionSet: KernelLibrary.instructionSet,
            measuredAt: ISO8601DateFormatter().string(from: Date()), rates: rates,
            adamwNanosecondsPerParameter: memory.adamw.shared, lambNanosecondsPerParameter: memory.lamb.shared,
            adamwNanosecondsPerParameterAlone: memory.adamw.alone, lambNanosecondsPerParameterAlone: memory.lamb.alone,
            sumNanosecondsPerElement: memory.sumNanosecondsPerElement,
            memoryGigabytesPerSecond: memory.memoryGigabytesPerSecond, streams: memory.streams, links: links,
            controlMicroseconds: 0)
        Console.diagnose("agreeing on steps, \(ControlCalibration.rounds) rounds")
        let control = ControlCalibration(host: host)
        host.controlMicroseconds = try await TrialState.run { runs, _ in try await control.run(runs) }
        let directory = state.directory
        try directory.create()
        let path = HostMachine.path(inStateDirectory: directory.path)
        try Data(host.yaml.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        if output.json {
            try Console.printJSON(Document(path: path, host: host))
        } else {
            Console.printExactly(HostText.text(of: host))
            Console.print(path)
        }
    }
}
