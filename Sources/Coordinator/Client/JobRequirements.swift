import Jobs
import PerformanceModel

/// What must fit between a job and the machine that it is asked to run on, checked before anything is started.
public enum JobRequirements {
    /// What doesn't fit, and what would.
    public struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
        public let description: String

        /// A violation in words.
        public init(description: String) { self.description = description }
    }

    /// Refuses more workers than lanes, and none.
    ///
    /// - Throws: `Violation`.
    public static func check(workers: Int, of job: Job) throws {
        guard (1...job.lanes).contains(workers) else {
            throw Violation(
                description:
                    "\(workers) workers can't share the job's \(job.lanes) lanes: every worker owns one or more; "
                    + "give 1 to \(job.lanes)")
        }
    }

    /// Refuses an emulation of a machine that isn't named, or of more of it than there is.
    ///
    /// - Throws: `Violation`; `EmulationSettings.Violation`; `PerformanceModelError` where there is no such profile.
    public static func check(
        _ emulation: EmulationSettings, workers: Int, hardware: String?, for backend: Backend
    ) throws {
        try check(hardware: hardware, for: backend)
        guard let machine = try hardware.map(HardwareCatalogue.profile)?.cluster else {
            throw Violation(
                description:
                    "an emulation needs the profile of a cluster: give --hardware; see 'wafermark hardware list'")
        }
        try emulation.check(workers: workers)
        try EmulatedCluster.check(emulation, workers: emulation.devices(workers: workers), machine: machine)
    }

    /// Refuses more devices of an emulated cluster than a step of the job has sequences.
    ///
    /// - Throws: `Violation`.
    public static func check(_ emulation: EmulationSettings, workers: Int, of job: Job) throws {
        let devices = emulation.devices(workers: workers)
        guard let least = job.phases.map(\.globalBatch).min(), devices > least else { return }
        throw Violation(
            description:
                "\(devices) devices can't share a global batch of \(least) sequences: each needs one; "
                + "take fewer virtual workers or a larger global_batch")
    }

    /// Refuses a profile that there isn't, and one of the other kind of machine.
    ///
    /// - Throws: `Violation`; `PerformanceModelError` where there is no such profile, or a file is none.
    public static func check(hardware: String?, for backend: Backend) throws {
        guard let hardware else { return }
        let profile = try HardwareCatalogue.profile(hardware)
        let fits =
            switch (profile.kind, backend) {
            case (.cluster, .cluster), (.wafer, .wafer): true
            case (.cluster, .wafer), (.wafer, .cluster): false
            }
        guard fits else {
            throw Violation(
                description:
                    "the profile '\(profile.name)' is of a \(profile.kind.rawValue), so the \(backend.rawValue) "
                    + "can't stand for it; see 'wafermark hardware list'")
        }
    }

    /// The same checks, for the runs of a sweep's grid.
    public static let sweepChecks = SweepFile.Checks(
        hardware: { name, backend in reason { try check(hardware: name, for: backend) } },
        emulation: { settings, workers, hardware in
            reason { try check(settings, workers: workers, hardware: hardware, for: .cluster) }
        })

    /// Why `check` fails; nil where it doesn't.
    private static func reason(_ check: () throws -> Void) -> String? {
        do {
            try check()
            return nil
        } catch {
            return "\(error)"
        }
    }
}
