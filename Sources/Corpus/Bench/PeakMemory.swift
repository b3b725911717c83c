import Foundation

/// The process's largest resident memory.
public enum PeakMemory {
    /// In bytes, since the process began or since `reset`.
    public static var bytes: Int {
        if let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let match = status.firstMatch(of: /VmHWM:\s+(\d+) kB/), let size = Int(match.1)
        {
            return size * 1024
        }
        var usage = rusage()
        return getrusage(0, &usage) == 0 ? Int(usage.ru_maxrss) * 1024 : 0
    }

    /// Begins anew, where the system can (Linux: proc(5), `clear_refs`).
    public static func reset() { try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8) }
}
