import Foundation
import Jobs

/// Gathers what a machine shows of itself. Nothing is changed, and nothing is left behind.
public enum HostProbe {
    /// What only the libraries themselves can say.
    public struct Libraries: Sendable {
        /// The widest vector instructions that the fused kernels use here.
        public var instructionSet: String
        /// Versions as the libraries say them.
        public var oneDNN: String
        public var zeroMQ: String
        public var protobufC: String

        /// What the libraries say.
        public init(instructionSet: String, oneDNN: String, zeroMQ: String, protobufC: String) {
            self.instructionSet = instructionSet
            self.oneDNN = oneDNN
            self.zeroMQ = zeroMQ
            self.protobufC = protobufC
        }
    }

    /// The facts of this machine. `state` says what is known of the state directory.
    public static func facts(libraries: Libraries, state: HostFacts.State) -> HostFacts {
        HostFacts(
            operatingSystem: operatingSystem(), processor: processorName(),
            cores: CoreSet.available, coreQuota: coreQuota(),
            instructionSet: libraries.instructionSet,
            memory: Bytes(Int(clamping: ProcessInfo.processInfo.physicalMemory)), memoryLimit: memoryLimit(),
            oneDNN: HostFacts.Version(libraries.oneDNN), zeroMQ: HostFacts.Version(libraries.zeroMQ),
            protobufC: HostFacts.Version(libraries.protobufC),
            sharedMemory: access("/dev/shm", W_OK) == 0 ? free(at: "/dev/shm") : nil, openFiles: openFileLimit(),
            portProblem: portProblem(), state: state)
    }

    /// What is known of the state directory at `path`, where `daemon` runs if one does.
    public static func state(at path: String, daemon: Int32?) -> HostFacts.State {
        // The nearest folder that exists tells whether the rest can be made, and how much room there is.
        var existing = path
        while !existing.isEmpty, existing != "/", access(existing, F_OK) != 0 {
            existing = (existing as NSString).deletingLastPathComponent
        }
        var status = stat()
        var problem: String?
        if stat(existing, &status) != 0 {
            problem = String(cString: strerror(errno))
        } else if status.st_mode & S_IFMT != S_IFDIR {
            problem = "\(existing) is no directory"
        } else if access(existing, W_OK | X_OK) != 0 {
            problem = "\(existing) can't be written: \(String(cString: strerror(errno)))"
        }
        let socket = path + "/sockets/" + String(repeating: "0", count: RunID.length) + "-000"
        return HostFacts.State(
            path: path, problem: problem, longestSocketPath: socket.utf8.count, free: free(at: existing), daemon: daemon
        )
    }

    /// What is known of `state`, and of the daemon that runs there.
    public static func state(of state: StateDirectory) -> HostFacts.State {
        self.state(
            at: state.path, daemon: DaemonLock.isHeld(in: state) ? DaemonLock.holder(of: state) ?? 0 : nil)
    }

    /// The memory that this machine, or the control group, grants, and what is free where `path` is.
    static func room(at path: String) -> (memory: Bytes, disk: Bytes?) {
        let memory = Bytes(Int(clamping: ProcessInfo.processInfo.physicalMemory))
        return (min(memory, memoryLimit() ?? memory), free(at: path))
    }

    private static func free(at path: String) -> Bytes? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        let (count, overflow) = Int(status.f_bavail).multipliedReportingOverflow(by: Int(status.f_frsize))
        return Bytes(overflow ? .max : count)
    }

    private static func openFileLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        return Int(clamping: limit.rlim_cur)
    }

    /// Why no TCP port of the loopback interface can be bound to; nil where one can.
    private static func portProblem() -> String? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return status == 0 ? nil : String(cString: strerror(errno))
    }

    private static func operatingSystem() -> String {
        let release = (try? String(contentsOfFile: "/etc/os-release", encoding: .utf8)) ?? ""
        let name = release.split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
            .map { $0.dropFirst("PRETTY_NAME=".count).filter { $0 != "\"" } }
        return "\(name ?? ProcessInfo.processInfo.operatingSystemVersionString), \(kernel())"
    }

    private static func kernel() -> String {
        var name = utsname()
        guard uname(&name) == 0 else { return "unknown kernel" }
        func text(_ field: some Any) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return "\(text(name.sysname)) \(text(name.release)) \(text(name.machine))"
    }

    private static func processorName() -> String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
            ?? "unknown processor"
    }

    /// Cores' worth of time a control group (version 2) grants; nil for no limit.
    private static func coreQuota() -> Double? {
        let words = ((try? String(contentsOfFile: "/sys/fs/cgroup/cpu.max", encoding: .utf8)) ?? "")
            .split(whereSeparator: \.isWhitespace)
        guard words.count == 2, let quota = Double(words[0]), let period = Double(words[1]), period > 0 else {
            return nil
        }
        return (quota / period * 100).rounded() / 100
    }

    /// Memory that a control group (version 2) grants; nil for no limit.
    private static func memoryLimit() -> Bytes? {
        ((try? String(contentsOfFile: "/sys/fs/cgroup/memory.max", encoding: .utf8)) ?? "")
            .split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }.map { Bytes($0) }
    }
}
