import Foundation
import Jobs

/// Ends this process when its launcher does: the launcher holds the other end of standard input and never writes to it.
enum Lifeline {
    /// Watches standard input, where it is a pipe; anything else is no lifeline.
    static func watch() {
        var information = stat()
        guard fstat(STDIN_FILENO, &information) == 0, information.st_mode & S_IFMT == S_IFIFO else { return }
        let thread = Thread {
            var byte: UInt8 = 0
            while true {
                let count = read(STDIN_FILENO, &byte, 1)
                if count == 0 || (count < 0 && errno != EINTR) { break }
            }
            let words = DiagnosticLine.own("the coordinator has gone; this process ends", level: "warning")
            FileHandle.standardError.write(Data("\(words)\n".utf8))
            _exit(3)
        }
        thread.name = "lifeline"
        thread.stackSize = 1 << 16
        thread.start()
    }
}
