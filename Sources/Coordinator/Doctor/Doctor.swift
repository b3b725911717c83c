import Jobs

/// Judges whether a machine has what the program needs, and says how to mend what it lacks.
public enum Doctor {
    /// The least libzmq that is taken. Before 4.3.2 a client that isn't encrypted could overrun a CURVE server's stack
    /// (CVE-2019-13132).
    static let leastZeroMQ = HostFacts.Version(4, 3, 2)
    /// The least oneDNN whose sgemm the kernels were measured with.
    static let leastOneDNN = HostFacts.Version(2, 6)
    /// What `sockaddr_un` has room for, without the final NUL.
    static let socketPathLimit = 107

    /// The findings about `facts`, in the order in which they are printed.
    public static func findings(on facts: HostFacts) -> [Finding] {
        [
            Finding("system", .ok, facts.operatingSystem),
            cores(facts), vectors(facts), memory(facts), oneDNN(facts), zeroMQ(facts), protobufC(facts),
            sharedMemory(facts), openFiles(facts), ports(facts), state(facts.state), sockets(facts.state),
            disk(facts.state),
            daemon(facts.state),
        ]
    }

    private static func cores(_ facts: HostFacts) -> Finding {
        let found = "\(facts.cores) (\(facts.processor))"
        if let quota = facts.coreQuota, quota < Double(facts.cores) {
            return Finding(
                "cores", .warn, "\(found), of which the control group grants \(quota) cores' worth of time",
                remedy: "raise the container's CPU limit, or keep workers x threads at or below it")
        }
        if facts.cores < 2 {
            return Finding(
                "cores", .warn, found, remedy: "give the program two or more cores: workers on one core take turns")
        }
        return Finding("cores", .ok, found)
    }

    private static func vectors(_ facts: HostFacts) -> Finding {
        if facts.instructionSet == "default" {
            return Finding(
                "vector instructions", .warn, "the common subset only",
                remedy: "use a processor with AVX2 or AVX-512: the same job is several times faster there")
        }
        return Finding("vector instructions", .ok, facts.instructionSet)
    }

    private static func memory(_ facts: HostFacts) -> Finding {
        let available = min(facts.memory, facts.memoryLimit ?? facts.memory)
        let found = gibibytes(available) + (available < facts.memory ? " granted of \(gibibytes(facts.memory))" : "")
        if available < .mebibytes(1800) {
            return Finding(
                "memory", .warn, found,
                remedy: "2 GiB and more are needed for the demo, about 12 for BERT-Large: each worker holds all weights"
            )
        }
        return Finding("memory", .ok, found)
    }

    private static func oneDNN(_ facts: HostFacts) -> Finding {
        library("oneDNN", facts.oneDNN, least: leastOneDNN, package: "libdnnl-dev")
    }

    private static func zeroMQ(_ facts: HostFacts) -> Finding {
        library("libzmq", facts.zeroMQ, least: leastZeroMQ, package: "libzmq3-dev")
    }

    private static func protobufC(_ facts: HostFacts) -> Finding {
        library("protobuf-c", facts.protobufC, least: HostFacts.Version(1, 3), package: "libprotobuf-c-dev")
    }

    private static func library(
        _ name: String, _ version: HostFacts.Version?, least: HostFacts.Version, package: String
    ) -> Finding {
        let remedy = "install \(least) or later (Debian: apt-get install \(package)), or run deploy/bootstrap"
        guard let version else { return Finding(name, .fail, "no version", remedy: remedy) }
        return Finding(name, version < least ? .fail : .ok, "\(version)", remedy: remedy)
    }

    private static func sharedMemory(_ facts: HostFacts) -> Finding {
        guard let free = facts.sharedMemory else {
            return Finding(
                "/dev/shm", .warn, "none that can be written",
                remedy: "mount one (mount -t tmpfs tmpfs /dev/shm); Python checks and some profilers want it")
        }
        if free < .mebibytes(64) {
            return Finding(
                "/dev/shm", .warn, "\(gibibytes(free)) free", remedy: "enlarge it (docker run --shm-size=1g)")
        }
        return Finding("/dev/shm", .ok, "\(gibibytes(free)) free")
    }

    private static func openFiles(_ facts: HostFacts) -> Finding {
        // The daemon: three a connection and a log a worker; a worker: two a peer.
        if facts.openFiles < 256 {
            return Finding(
                "open files", facts.openFiles < 64 ? .fail : .warn, "at most \(facts.openFiles)",
                remedy: "raise the limit (ulimit -n 1024): every worker takes several in the daemon")
        }
        return Finding("open files", .ok, "at most \(facts.openFiles)")
    }

    private static func ports(_ facts: HostFacts) -> Finding {
        if let problem = facts.portProblem {
            return Finding(
                "ports", .fail, "no TCP port of 127.0.0.1 can be had: \(problem)",
                remedy: "bring the loopback interface up (ip link set lo up), or close programs that hold many ports")
        }
        return Finding("ports", .ok, "TCP ports of 127.0.0.1 can be had")
    }

    private static func state(_ state: HostFacts.State) -> Finding {
        if let problem = state.problem {
            return Finding(
                "state directory", .fail, "\(state.path): \(problem)",
                remedy: "make it writable, or name another with --state or WAFERMARK_STATE")
        }
        return Finding("state directory", .ok, state.path)
    }

    private static func sockets(_ state: HostFacts.State) -> Finding {
        let found = "\(state.longestSocketPath) bytes of path"
        return Finding(
            "sockets", state.longestSocketPath > socketPathLimit ? .fail : .ok, found,
            remedy: "the system takes \(socketPathLimit); name a state directory with a shorter path with --state")
    }

    private static func disk(_ state: HostFacts.State) -> Finding {
        guard let free = state.free else {
            return Finding(
                "disk", .warn, "free space unknown", remedy: "look at it with df; a checkpoint takes 12 bytes a weight")
        }
        let status: Finding.Status = free < .mebibytes(64) ? .fail : free < .mebibytes(1024) ? .warn : .ok
        return Finding(
            "disk", status, "\(gibibytes(free)) free",
            remedy: "free some space: a checkpoint takes 12 bytes a weight, 4 GB for BERT-Large")
    }

    private static func daemon(_ state: HostFacts.State) -> Finding {
        Finding("daemon", .ok, state.daemon.map { "runs (process \($0))" } ?? "none runs; 'wafermark serve' starts one")
    }

    private static func gibibytes(_ bytes: Bytes) -> String {
        let tenths = bytes.count / (1 << 30) * 10 + bytes.count % (1 << 30) * 10 / (1 << 30)
        return tenths == 0 ? "\(bytes.count >> 20) MiB" : "\(tenths / 10).\(tenths % 10) GiB"
    }
}
