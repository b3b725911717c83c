import Coordinator
import Jobs
import Runs
import Testing

@Suite("Memberships under every kind of loss")
struct MembershipSimulationTests {
    /// DESIGN, "Nothing is lost" and "Nothing hangs": whatever is lost, and in whatever order the news comes, the run ends,
    /// every step is on record in full, and all end with the weights that every step has been applied to once.
    @Test(
        "F37: seeded orders of messages, deaths, false alarms and joins all end with every step made",
        arguments: 0..<300)
    func anyOrder(seed: Int) throws {
        let count = 1 + seed % 4
        var cluster = try SimulatedCluster(seed: UInt64(seed), workers: count)
        cluster.run(losses: seed % 7, joins: seed % 3)
        #expect(cluster.violations.isEmpty)
        let end = try #require(cluster.end, "seed \(seed) hangs after steps \(cluster.recorded)")
        if case .failed(let reason) = end.state {
            // More losses than a run bears: all were lost again and again.
            #expect(cluster.losses > 3 * count && reason.contains("without a step in between"), "\(reason)")
            return
        }
        #expect(end.state == .finished)
        #expect(Set(cluster.recorded) == Set(0..<SimulatedCluster.totalSteps))
        #expect(end.outcome?.weightsDigest == "weights \(SimulatedCluster.totalSteps)")
    }

    @Test("without a loss every step is made once, and in order", arguments: 0..<20)
    func undisturbed(seed: Int) throws {
        var cluster = try SimulatedCluster(seed: UInt64(seed), workers: 3)
        cluster.run(losses: 0, joins: 0)
        #expect(cluster.recorded == Array(0..<SimulatedCluster.totalSteps))
        #expect(cluster.end?.state == .finished)
    }
}
