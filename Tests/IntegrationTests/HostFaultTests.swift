import Foundation
import Jobs
import Runs
import TestSupport
import Testing

@Suite("A host that misbehaves", .serialized)
struct HostFaultTests {
    private static let steps = 40
    private static let reference = Result { try ElasticRun.reference(steps: steps) }

    /// A library that, loaded before libc, moves the wall clock, and it alone, by as many seconds as a file says.
    private static let clockLibrary = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <time.h>
        #include <sys/time.h>
        static long shift(void) {
            const char *path = getenv("WALL_CLOCK_SHIFT");
            FILE *file = path ? fopen(path, "r") : NULL;
            long seconds = 0;
            if (!file) return 0;
            if (fscanf(file, "%ld", &seconds) != 1) seconds = 0;
            fclose(file);
            return seconds;
        }
        int clock_gettime(clockid_t clock, struct timespec *time) {
            static int (*real)(clockid_t, struct timespec *);
            if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
            int status = real(clock, time);
            if (status == 0 && clock == CLOCK_REALTIME) time->tv_sec += shift();
            return status;
        }
        int gettimeofday(struct timeval *restrict time, void *restrict zone) {
            struct timespec now;
            (void)zone;
            if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
            time->tv_sec = now.tv_sec;
            time->tv_usec = now.tv_nsec / 1000;
            return 0;
        }
        time_t time(time_t *result) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            if (result) *result = now.tv_sec;
            return now.tv_sec;
        }
        """

    @Test(
        "F29: a wall clock that is set back and forth by an hour changes no duration and no bit",
        arguments: [-3_600, 3_600])
    func steppedClock(seconds: Int) throws {
        let folder = try TemporaryFolder()
        let source = try folder.write(Self.clockLibrary, to: "clock.c")
        let library = folder.path + "/clock.so"
        _ = try Program.command("cc", ["-shared", "-fPIC", "-o", library, source, "-ldl"])
        try #require(FileManager.default.fileExists(atPath: library), "no C compiler made \(library)")
        let shift = try folder.write("0", to: "shift")
        let run = try ElasticRun(
            steps: Self.steps, workers: 2,
            environment: [
                "LD_PRELOAD": library, "WALL_CLOCK_SHIFT": shift, "WAFERMARK_FAULTS": "slow@forward:0",
            ])
        #expect(Eventually.holds(within: 60) { run.stepsMade > 4 }, "\(run.words)")
        _ = try folder.write("\(seconds)", to: "shift")
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        let record = try run.record()
        let (started, ended) = (try #require(record.run.started), try #require(record.run.ended))
        // The clock was indeed set while the run was under way, and nothing else was measured by it.
        #expect(abs(ended.timeIntervalSince(started) - Double(seconds)) < 600)
        #expect(record.steps.allSatisfy { $0.duration.seconds > 0 && $0.duration.seconds < 60 })
        #expect(zip(record.steps, record.steps.dropFirst()).allSatisfy { $0.elapsed < $1.elapsed })
        #expect(try #require(record.run.outcome).trainingTime.seconds < 120)
        #expect(record.events.allSatisfy { $0.kind != .workerLost && $0.kind != .stalled }, "\(run.words)")
        for command in [["runs", "show", run.id], ["runs", "list"], ["report", run.id, "--out", folder.path + "/r"]] {
            let outcome = try Program.run(command + ["--state", run.state])
            #expect(outcome.status == 0, "\(command): \(outcome.standardError)")
        }
    }

    @Test("F33: a cluster that is emulated beside programs that take all cores is marked INVALID, and keeps its bits")
    func hog() throws {
        let machine = ["--hardware", "dgx1-v100-16g", "--emulate", "--devices-per-node", "1"]
        // What the host needs when nobody hogs it, as the program itself finds out.
        let quiet = try ElasticRun(steps: Self.steps, workers: 2, launch: machine)
        try quiet.waitForEnd()
        let record = try quiet.record()
        let computed =
            Dictionary(grouping: record.workerSteps, by: \.step).values
            .compactMap { $0.map(\.compute.seconds).max() }.min() ?? 0
        let dilation = try #require(record.run.emulation?.dilation)
        let device = try #require(record.emulatedSteps.first).duration.seconds
        // So that computing takes half of a step: what a fit host just keeps up with. Other tests may run beside this one: the
        // step that they disturbed least counts.
        let tight = min(dilation, max(0.01, 2 * computed / device))
        // Hogs and workers share the first core alone: other tests keep theirs.
        let hogs = try (0..<16).map { _ in try Hog() }
        defer { for hog in hogs { hog.end() } }
        let run = try ElasticRun(
            steps: Self.steps, workers: 2, launch: machine + ["--dilation", "\(tight)"])
        #expect(Eventually.holds(within: 60) { Leftovers.processes(of: run.state, kinds: ["worker"]).count == 2 })
        for worker in Leftovers.processes(of: run.state, kinds: ["worker"]) {
            _ = try Program.command("taskset", ["-a", "-c", "-p", "0", "\(worker)"])
        }
        try run.waitForEnd(seconds: 300)
        let overloaded = try run.record()
        #expect(overloaded.isHostOverloaded, "\(overloaded.emulatedSteps.map(\.lateness))")
        #expect(run.words.contains { $0.hasPrefix("INVALID: host overloaded") }, "\(run.words)")
        let shown = try Program.run(["runs", "show", run.id, "--state", run.state])
        #expect(shown.standardOutput.contains("INVALID"), "\(shown.standardOutput)")
        #expect(try run.trace() == Self.reference.get())
    }

    /// A process that computes for ever, on the first core.
    private final class Hog: Sendable {
        private let process: Process

        init() throws {
            process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/taskset")
            process.arguments = ["-c", "0", "/bin/sh", "-c", "while :; do :; done"]
            try process.run()
        }

        /// SIGTERM may be ignored: a shell inherits that from whoever runs the tests.
        func end() {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }

        deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }
    }

    @Test("F34: on one core alone both backends give the same bits, and the doctor says what that costs")
    func oneCore() throws {
        let folder = try TemporaryFolder()
        let job = try folder.write(
            JobFixtures.small(steps: Self.steps) + "\ncheckpoints: { every_steps: 4 }\n", to: "job.yaml")
        let text = try Program.command(
            "taskset",
            [
                "-c", "0", try Program.path(), "compare", job, "--workers", "3", "--state", folder.path + "/s", "--out",
                folder.path + "/r", "--json",
            ], seconds: 180)
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
        #expect(document["bit_identical"] as? Bool == true)
        let digest = (document["cluster"] as? [String: Any])?["weights_digest"] as? String
        #expect(digest == (try Self.reference.get()).digest)
        let doctor = try Program.command(
            "taskset", ["-c", "0", try Program.path(), "doctor", "--state", folder.path + "/s"])
        #expect(doctor.contains("two or more cores"), "\(doctor)")
    }

    @Test(
        "F35: a processor that has half its clock from half-way on costs time, no worker and no bit, and the report says so"
    )
    func throttled() throws {
        let steps = 120
        let reference = try ElasticRun.reference(steps: steps)
        let run = try ElasticRun(steps: steps, workers: 2, launch: ["--lane-shares", "even"])
        #expect(Eventually.holds(within: 60) { run.stepsMade >= steps / 2 }, "\(run.words)")
        // Stopped half of the time, in slices far shorter than a sign of life and about as long as a step.
        let end = Date().addingTimeInterval(120)
        while (try? run.record())?.run.state.isFinal == false, Date() < end {
            let workers = Leftovers.processes(of: run.state, kinds: ["worker"])
            for _ in 0..<10 {
                for worker in workers { kill(worker, SIGSTOP) }
                usleep(20_000)
                for worker in workers { kill(worker, SIGCONT) }
                usleep(10_000)
            }
        }
        try run.waitForEnd()
        try run.expect(like: reference)
        #expect(run.events.allSatisfy { $0.kind != .workerLost }, "\(run.words)")
        let folder = try TemporaryFolder()
        let outcome = try Program.run(["report", run.id, "--state", run.state, "--out", folder.path])
        #expect(outcome.status == 0, "\(outcome.standardError)")
        let report = try String(contentsOfFile: folder.path + "/report.md", encoding: .utf8)
        let durations = try run.record().steps.map(\.duration.seconds)
        #expect(report.contains("steps of unequal length"), "\(durations)")
    }
}
