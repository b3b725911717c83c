import ArgumentParser
import Coordinator
import Foundation
import Jobs
import PerformanceModel

/// `wafermark calibrate`: this machine's profile, so that its time can be predicted.
struct CalibrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate", abstract: "Measure this machine, for 'predict --hardware host'.",
        discussion: """
            Measures matrix products by shape, the engine's other kernels, the optimizer,
            memory, the exchange of gradients between two workers by each transport
            (shm, ipc, tcp), and what agreeing on a step costs. Kernels of each shape are
            measured in turn with those of one shape, and the median ratio counts; of all
            else the quickest, once the two quickest agree within 2 %. That takes up to
            thirteen minutes where neighbours never leave the machine alone. Close other
            programs first. The profile goes into the state directory (host.yaml);
            'wafermark validate --host' says how well it predicts.
            """)

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    private struct Document: Encodable {
        var path: String
        var clock = HostSeconds.clock
        var host: HostMachine
    }

    func run() async throws {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let executable = try ThisProgram.executable()
        let host = try await TrialState.run { runs, _ in
            var calibration = HostCalibration(cores: cores, executable: executable, runs: runs)
            return try await calibration.run { Console.diagnose($0) }
        }
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
