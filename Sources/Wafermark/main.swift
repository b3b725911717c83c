import Coordinator
import Foundation
import Jobs

// A file that would grow beyond the user's limit (`ulimit -f`) is an error of the write, to be told and cleaned up after,
// rather than the process's end.
signal(SIGXFSZ, SIG_IGN)

// A daemon tells its processes so on which cores their run may be. Before any thread is started, which would keep its own.
DiagnosticLine.variable(CoreSet.variable).flatMap(CoreSet.init(parsing:))?.confine()

exit(await Program.run(Array(CommandLine.arguments.dropFirst())).rawValue)
