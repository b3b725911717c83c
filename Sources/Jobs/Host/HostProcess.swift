#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the system knows of this process. All times are on the host clock.
public enum HostProcess {
    /// The largest resident memory of this program so far, in bytes.
    ///
    /// From `VmHWM`: `getrusage` would count in what another program had in memory that this process was before `exec`.
    public static var peakResidentBytes: Int { statusBytes("VmHWM") }

    /// Begins anew with the largest resident memory, where the system can (Linux: proc(5), `clear_refs`).
    public static func resetPeakResidentBytes() {
        guard let file = fopen("/proc/self/clear_refs", "w") else { return }
        fputs("5", file)
        fclose(file)
    }

    /// The resident memory at present, in bytes.
    public static var residentBytes: Int { statusBytes("VmRSS") }

    /// Seconds since the process was started, to the clock tick (10 ms); nil where the system doesn't say.
    public static var secondsSinceStart: Double? {
        // Field 22 of proc(5)'s stat, counted from behind the program's name, which may hold spaces.
        guard let stat = read("/proc/self/stat"), let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[end...].split(separator: " ")
        guard fields.count > 20, let ticks = Double(fields[20]) else { return nil }
        var now = timespec()
        guard clock_gettime(CLOCK_BOOTTIME, &now) == 0 else { return nil }
        let seconds = Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
        return max(0, seconds - ticks / Double(sysconf(Int32(_SC_CLK_TCK))))
    }

    /// Seconds of processor time that all threads took so far, in the program and in the system for it.
    public static var processorSeconds: Double {
        var time = timespec()
        guard clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// The number that the line `name` of proc(5)'s `file` gives: of memory, in KiB. Nil where there is none.
    public static func field(_ name: String, in file: String) -> Int? {
        read(file)?.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            .flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { Int($0) }
    }

    private static func statusBytes(_ name: String) -> Int { (field(name, in: "/proc/self/status") ?? 0) * 1024 }

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 14)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
