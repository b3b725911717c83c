import Foundation
import TestSupport
import Testing

@Suite(
    "F18: a full disk", .serialized,
    .enabled(if: SmallDisk.isPossible, "skipped: this machine does not let a test mount a file system"))
struct FullDiskTests {
    /// Sizes in KiB at which it fills up earlier or later: before there is a store, in training, at a run's last checkpoint,
    /// in the second run.
    @Test(
        "gives one clear error, and leaves state that the next command can work with",
        arguments: [300, 1_500, 3_000, 5_000])
    func fullDisk(kibibytes: Int) throws {
        let disk = try SmallDisk(kibibytes: kibibytes)
        let folder = try TemporaryFolder()
        let job = try folder.write(JobFixtures.small(steps: 40), to: "job.yaml")
        let state = disk.path + "/s"
        let outcomes = try disk.run([
            ["compare", job, "--workers", "2", "--state", state, "--out", folder.path + "/out"],
            ["runs", "list", "--state", state, "--json"],
        ])
        #expect(outcomes[0].status == 1, "\(outcomes[0].standardError)")
        #expect(outcomes[0].standardError.localizedCaseInsensitiveContains("space"), "\(outcomes[0].standardError)")
        #expect(Leftovers.processes(of: state).isEmpty)
        if outcomes[1].status == 0 {
            let runs = try #require(try outcomes[1].json()["runs"] as? [[String: Any]])
            let states = runs.compactMap { $0["state"] as? String }
            // Both backends can't have come to their end; a run that had no room was not begun.
            #expect(states.count { $0 == "finished" } < 2, "\(states)")
            #expect(states.allSatisfy { ["failed", "interrupted", "finished"].contains($0) }, "\(states)")
        }
    }
}
