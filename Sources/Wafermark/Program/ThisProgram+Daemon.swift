import Coordinator
import Foundation
import Jobs
import Kernels
import Logging
import Messaging
import Runs

extension ThisProgram {
    /// A logger to standard error.
    static func logger(level: Logger.Level, format: DiagnosticLine.Format = .text) -> Logger {
        var logger = Logger(label: "wafermark") { label in
            switch format {
            case .text: StreamLogHandler.standardError(label: label)
            case .json: JSONLogHandler()
            }
        }
        logger.logLevel = level
        return logger
    }

    /// How a daemon of this program is set up on `state`.
    static func daemonOptions(state: StateDirectory, endpoints: [String]) throws -> Daemon.Options {
        Daemon.Options(state: state, endpoints: endpoints, executable: try executable(), machine: machine)
    }

    /// This program's own file.
    static func executable() throws -> String {
        guard let path = realpath("/proc/self/exe", nil) else {
            throw DaemonError.noExecutable(reason: String(cString: strerror(errno)))
        }
        defer { free(path) }
        return String(cString: path)
    }

    /// This machine and the libraries that it runs with.
    static var machine: Machine {
        MachineProbe.machine(
            instructionSet: KernelLibrary.instructionSet, oneDNN: KernelLibrary.oneDNNVersion,
            zeroMQ: Context.versionText,
            wafermark: Program.version)
    }
}
