import Coordinator
import Jobs
import Testing

@Suite("Runs at once")
struct RunSlotsTests {
    private func slots(_ runs: Int, _ cores: Int?, of available: [Int]) throws -> [[Int]?] {
        try RunSlots(runs: runs, coresPerRun: cores, available: #require(CoreSet(available))).cores.map { $0?.cores }
    }

    @Test("each run has cores of its own, an equal share unless told otherwise; one alone has all")
    func shares() throws {
        #expect(try slots(1, nil, of: [0, 1]) == [nil])
        #expect(try slots(1, 1, of: [0, 1]) == [[0]])
        #expect(try slots(2, nil, of: [0, 1, 4, 5, 6]) == [[0, 1], [4, 5]])
        #expect(try slots(2, 1, of: [3, 7]) == [[3], [7]])
    }

    @Test(
        "F34: more than there are cores for is refused",
        arguments: [(2, nil), (1, 2), (3, 1), (Int.max, 2), (0, 1), (1, 0)])
    func refused(runs: Int, cores: Int?) throws {
        #expect(throws: JobRequirements.Violation.self) { try slots(runs, cores, of: [0]) }
    }

    @Test("a set of cores is read as it is written, and nothing else is")
    func spelling() {
        #expect(CoreSet(parsing: "3,0,3")?.text == "0,3")
        for text in ["", ",", "1,", "-1", "x", "99999", "1 2"] { #expect(CoreSet(parsing: text) == nil, "\(text)") }
        #expect((CoreSet.ofThisProcess()?.cores.count ?? 0) > 0)
    }
}
