import ArgumentParser
import Jobs

/// What a run may take of its machine at most.
struct LimitOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The most memory that a run's processes may take together; beyond it the run ends with a checkpoint.",
            valueName: "GiB"))
    var maxMemoryGib: Double?

    @Option(help: ArgumentHelp("The most disk that a run's files may take; beyond it the run ends.", valueName: "GiB"))
    var maxDiskGib: Double?

    @Option(
        help: ArgumentHelp(
            "The longest that a run may take, start included; then it ends with a checkpoint.", valueName: "min"))
    var maxMinutes: Double?

    @Option(help: ArgumentHelp("The most workers that a run may have, those that join included.", valueName: "n"))
    var maxWorkers: Int?

    func validate() throws {
        for (name, value) in [("memory-gib", maxMemoryGib), ("disk-gib", maxDiskGib)] {
            if let value, !(value >= 0.001 && value <= 1e6) {
                throw ValidationError("--max-\(name) is \(value); 0.001 to 1000000 are allowed")
            }
        }
        if let maxMinutes, !(maxMinutes >= 0.01 && maxMinutes <= 1e6) {
            throw ValidationError("--max-minutes is \(maxMinutes); 0.01 to 1000000 are allowed")
        }
        if let maxWorkers, !(1...4_096).contains(maxWorkers) {
            throw ValidationError("--max-workers is \(maxWorkers); 1 to 4096 are allowed")
        }
    }

    /// The limits that the user means.
    var limits: RunLimits {
        func bytes(_ gibibytes: Double?) -> Bytes? { gibibytes.map { Bytes(Int($0 * 0x1p30)) } }
        return RunLimits(
            memory: bytes(maxMemoryGib), disk: bytes(maxDiskGib), time: maxMinutes.map { HostSeconds($0 * 60) },
            workers: maxWorkers)
    }
}
