import Cluster
import Jobs
import Testing

@Suite("The names of workers' lines")
struct WorkerLineTests {
    @Test("F17: a worker of an earlier coordinator is told from one of the same number of the present one")
    func generations() {
        let name = WorkerLine.name(of: WorkerRank(2), token: "aaaaaaaabbbbbbbb")
        #expect(!WorkerLine.isForeign(name, token: "aaaaaaaabbbbbbbb"))
        #expect(WorkerLine.isForeign(name, token: "ccccccccbbbbbbbb"))
        #expect(!WorkerLine.isForeign(Array("join-1".utf8), token: "ccccccccbbbbbbbb"))
        #expect(WorkerLine.name(of: WorkerRank(2), token: "ccccccccbbbbbbbb") != name)
    }
}
