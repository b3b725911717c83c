/// A binary heap: the highest count first; of equal counts, the pair of the lowest ids.
struct PairQueue {
    struct Item: Comparable {
        var count: Int
        var left: Int32
        var right: Int32
        static func < (one: Item, other: Item) -> Bool {
            if one.count != other.count { return one.count > other.count }
            return (one.left, one.right) < (other.left, other.right)
        }
    }

    private var items: [Item] = []

    mutating func push(_ item: Item) {
        items.append(item)
        var child = items.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard items[child] < items[parent] else { break }
            items.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> Item? {
        guard let top = items.first, let last = items.popLast() else { return nil }
        guard !items.isEmpty else { return top }
        items[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < items.count && items[child] < items[least] {
                least = child
            }
            if least == parent { return top }
            items.swapAt(parent, least)
            parent = least
        }
    }
}
