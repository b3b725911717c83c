import Foundation

// A file that would grow beyond the user's limit (`ulimit -f`) is an error of the write, to be told and cleaned up after,
// rather than the process's end.
signal(SIGXFSZ, SIG_IGN)

exit(await Program.run(Array(CommandLine.arguments.dropFirst())).rawValue)
