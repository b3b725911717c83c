import ArgumentParser
import Coordinator
import Foundation
import Jobs
import Kernels
import PerformanceModel

/// `wafermark calibrate`: this machine's profile, so that its time can be predicted.
struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate", abstract: "Measure this machine, for 'predict --hardware host'.",
        discussion: """
            Measures matrix products by shape, the engine's other kernels, the optimizer,
            memory, and the link between two processes over ZeroMQ: about two minutes. Close
            other programs first. The profile goes into the state directory (host.yaml);
            'wafermark validate --host' says how well it predicts.
            """)

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    private struct Document: Encodable {
        var path: String
        var clock = HostSeconds.clock
        var host: HostMachine
    }

    func run() throws {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let rates = try KernelCalibration().run(cores: cores) { Console.diagnose($0) }
        Console.diagnose("optimizer and memory")
        let memory = try MemoryCalibration().run(cores: cores)
        Console.diagnose("link between two processes")
        let link = try LinkCalibration().run(executable: ThisProgram.executable())
        let host = HostMachine(
            processor: ThisProgram.machine.processor, cores: cores, instructionSet: KernelLibrary.instructionSet,
            measuredAt: ISO8601DateFormatter().string(from: Date()), rates: rates,
            adamwNanosecondsPerParameter: memory.adamw.shared, lambNanosecondsPerParameter: memory.lamb.shared,
            adamwNanosecondsPerParameterAlone: memory.adamw.alone, lambNanosecondsPerParameterAlone: memory.lamb.alone,
            sumNanosecondsPerElement: memory.sumNanosecondsPerElement,
            memoryGigabytesPerSecond: memory.memoryGigabytesPerSecond,
            linkLatencyMicroseconds: link.latencyMicroseconds, linkGigabytesPerSecond: link.gigabytesPerSecond)
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

/// `wafermark calibrate-echo`: the other end of the link that `calibrate` measures.
struct CalibrateEchoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate-echo", abstract: "Answer messages (started by calibrate).", shouldDisplay: false)

    @Option(help: "The endpoint to answer to.")
    var join: String

    func run() throws { try LinkCalibration.echo(joining: join) }
}
