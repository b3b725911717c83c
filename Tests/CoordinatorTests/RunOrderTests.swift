import Coordinator
import Jobs
import Testing

@Suite("Whose turn it is")
struct RunOrderTests {
    private func id(_ number: Int) throws -> RunID {
        try #require(
            RunID(String(repeating: "0", count: RunID.length - 2) + (number < 10 ? "0\(number)" : "\(number)")))
    }

    @Test("runs of one priority take turns; a higher one goes before")
    func priorities() throws {
        var order = RunOrder()
        for (number, priority) in [(1, 0), (2, 0), (3, 5), (4, -1), (5, 5), (6, 0)] {
            order.append(RunOrder.Entry(id: try id(number), priority: priority))
        }
        var turns: [RunID] = []
        while let next = order.next() { turns.append(next) }
        #expect(turns == (try [3, 5, 1, 2, 6, 4].map(id)))
    }

    @Test("a run that waits for others holds up nobody, and begins once the last of them has finished")
    func predecessors() throws {
        var order = RunOrder()
        order.append(RunOrder.Entry(id: try id(3), priority: 9, after: [try id(1), try id(2)]))
        order.append(RunOrder.Entry(id: try id(4)))
        #expect(order.next() == (try id(4)))
        #expect(order.next() == nil)
        #expect(order.ended(try id(1), hasFinished: true).isEmpty)
        #expect(order.next() == nil)
        #expect(order.ended(try id(2), hasFinished: true).isEmpty)
        #expect(order.next() == (try id(3)))
    }

    @Test("runs that follow one that did not finish never begin, nor those that follow them; each is told which")
    func hopeless() throws {
        var order = RunOrder()
        order.append(RunOrder.Entry(id: try id(2), after: [try id(1)]))
        order.append(RunOrder.Entry(id: try id(3), after: [try id(2)]))
        order.append(RunOrder.Entry(id: try id(4)))
        let ended = order.ended(try id(1), hasFinished: false)
        #expect(ended.map(\.run) == (try [2, 3].map(id)))
        #expect(ended.map(\.because) == (try [1, 2].map(id)))
        #expect(order.waiting.map(\.id) == [try id(4)])
    }

    @Test("a run that is taken out has no turn")
    func removal() throws {
        var order = RunOrder()
        order.append(RunOrder.Entry(id: try id(1)))
        #expect(order.remove(try id(1)))
        #expect(!order.remove(try id(1)))
        #expect(order.next() == nil)
    }
}
