import Kernels

extension FloatBuffer {
    /// Buffers from this size on give memory back as soon as what they held has been added elsewhere.
    ///
    /// A second lane's gradient of a large model then takes the memory of about one layer instead of all. Below it, taking
    /// the pages anew at each step (some 0.1 ms a huge page) costs more than it saves.
    private static let releasedFrom = 1 << 30

    /// Gives the pages that lie wholly in `range` back to the system; elements there are zero when they are touched again.
    ///
    /// For elements that will be written before they are read. Does nothing for smaller buffers.
    func release(_ range: Range<Int>) {
        guard count * MemoryLayout<Float>.stride >= Self.releasedFrom else { return }
        let hugePage = 2 << 20
        let bytes = range.lowerBound * 4..<range.upperBound * 4
        // The buffer begins at a page.
        let start = (bytes.lowerBound + hugePage - 1) / hugePage * hugePage
        let end = bytes.upperBound / hugePage * hugePage
        guard end > start else { return }
        giveBack(start..<end)
    }
}
