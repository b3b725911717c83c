extension Sequence where Element == Int {
    /// The range from the least element to the greatest: what measured rows cover. One alone where there is none.
    var leastToGreatest: ClosedRange<Int> {
        reduce(nil as ClosedRange<Int>?) { range, next in
            range.map { Swift.min($0.lowerBound, next)...Swift.max($0.upperBound, next) } ?? next...next
        } ?? 1...1
    }
}
