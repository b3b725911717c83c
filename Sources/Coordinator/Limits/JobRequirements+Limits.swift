import Jobs

extension JobRequirements {
    /// Refuses a run that can't keep within its limits, before anything of it is started.
    ///
    /// - Throws: `Violation`, which says what is needed at least and what is granted.
    public static func check(_ limits: RunLimits, of job: Job, workers: Int) throws {
        if let most = limits.workers, workers > most {
            throw Violation(
                description:
                    "the run would have \(workers) workers; its limit is \(most): give --workers \(most) or fewer")
        }
        let needs = RunNeeds(of: job, workers: workers)
        if let most = limits.memory, needs.memory > most {
            throw Violation(
                description:
                    "\(memoryWords(needs, workers)); its limit is \(most.gibibytesText): take a smaller model or "
                    + "fewer workers, or raise the limit")
        }
        if let most = limits.disk, needs.disk > most {
            throw Violation(
                description:
                    "\(diskWords(needs)); its limit is \(most.gibibytesText): take a smaller model, or raise the "
                    + "limit")
        }
    }

    /// Refuses a run that its machine has no room for.
    ///
    /// - Parameters:
    ///   - memory: what the machine, or its control group, grants; nil where the run's workers are elsewhere.
    ///   - disk: what is free where the run's files go; nil where that isn't known.
    /// - Throws: `Violation`.
    static func check(room memory: Bytes?, disk: Bytes?, for job: Job, workers: Int) throws {
        let needs = RunNeeds(of: job, workers: workers)
        if let memory, needs.memory > memory {
            throw Violation(
                description:
                    "\(memoryWords(needs, workers)); this machine grants \(memory.gibibytesText): take a smaller "
                    + "model or fewer workers")
        }
        if let disk, needs.disk > disk {
            throw Violation(
                description:
                    "\(diskWords(needs)); \(disk.gibibytesText) of space are free: make room, with "
                    + "'wafermark runs prune' for instance")
        }
    }

    private static func memoryWords(_ needs: RunNeeds, _ workers: Int) -> String {
        "the run needs \(needs.memory.gibibytesText) of memory or more: each of \(workers) "
            + (workers == 1 ? "process" : "processes")
            + " holds weights, gradient and two moments of \(needs.parameters) parameters"
    }

    private static func diskWords(_ needs: RunNeeds) -> String {
        "the run needs \(needs.disk.gibibytesText) of disk or more: a checkpoint and the model of \(needs.parameters) "
            + "parameters"
    }
}
