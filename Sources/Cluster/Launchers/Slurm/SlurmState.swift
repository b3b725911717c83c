/// Where a batch job of Slurm's stands.
public enum SlurmState: Hashable, Sendable {
    /// It has not begun; why not, in Slurm's words.
    case waiting(reason: String)
    /// It runs, or is being ended.
    case running
    /// It has ended, and as what.
    case ended(String)

    /// The state that `squeue` writes as `name`, with the reason that it gives.
    ///
    /// The states are those of squeue(1), "JOB STATE CODES"; one that is not known is taken for one in which something
    /// still goes on, since the worker's own signs of life say more.
    public init(_ name: String, reason: String) {
        switch name {
        case "PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT":
            self = .waiting(reason: reason)
        case "COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "NODE_FAIL", "PREEMPTED", "BOOT_FAIL",
            "DEADLINE", "REVOKED":
            self = .ended(name)
        default: self = .running
        }
    }

    /// The states that `squeue --format=%i|%T|%r` prints, by the jobs' numbers. Lines that are none are skipped.
    public static func states(_ text: String) -> [String: SlurmState] {
        var states: [String: SlurmState] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 3 else { continue }
            states[fields[0]] = SlurmState(fields[1], reason: fields[2])
        }
        return states
    }
}

extension WorkerExit {
    /// How a worker ended whose job ended as `state`, as `scontrol show job --oneliner` tells it: by itself with a status or
    /// a signal (`ExitCode=STATUS:SIGNAL`), or by Slurm.
    public init(state: String, description: String) {
        let field = description.split(separator: " ").first { $0.hasPrefix("ExitCode=") }
        let numbers = field?.dropFirst("ExitCode=".count).split(separator: ":").compactMap { Int32($0) } ?? []
        switch state {
        case "COMPLETED": self = .status(0)
        case "FAILED" where numbers.count == 2:
            self = numbers[1] == 0 ? .status(numbers[0]) : .signal(numbers[1])
        default: self = .scheduler(state)
        }
    }
}
