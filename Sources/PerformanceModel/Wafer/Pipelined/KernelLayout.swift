/// A kernel on a rectangle of cores: which of its dimensions the rows divide and which the columns, what a sample takes,
/// and what each core must hold.
public struct KernelLayout: Hashable, Sendable, Codable {
    /// Cores across and down.
    public var columns: Int
    public var rows: Int
    /// Whether rows divide the outputs and columns the inputs, instead of the other way round.
    public var isTransposed: Bool
    /// Cycles of a sample, forward and back.
    public var cycles: Double
    /// Bytes of a core's memory that its weights, their optimizer state and the waiting activations take.
    public var bytesPerCore: Double
    /// The most parameters that one core holds.
    public var parametersPerCore: Double
    /// Non-zero weights of the fullest core over the mean: 1 where no weight is zero.
    public var imbalance: Double

    /// Cores of the rectangle.
    public var area: Int { columns * rows }

    /// `kernel` on `columns` x `rows` cores while `inFlight` samples wait for their way back.
    ///
    /// A dense kernel's core holds a block of `a` inputs and `b` outputs. Every row of a sample costs it `a b`
    /// multiply-adds for each of three products, or as many as the fullest core has weights that are not zero; `a` elements
    /// come in and `b` partial sums go on, forward, and the reverse on the way back, each over links of their own. The
    /// slower of the two sets the time.
    init(_ kernel: WaferKernel, columns: Int, rows: Int, isTransposed: Bool, inFlight: Int, core: WaferCore) {
        self.columns = columns
        self.rows = rows
        self.isTransposed = isTransposed
        let area = Double(columns * rows)
        let (multiplyAdds, linkElements): (Double, Double)
        var parameters = Double(kernel.parameters) * kernel.density / area
        imbalance = 1
        switch kernel.work {
        case .dense(let samples, let inputs, let outputs):
            let a = Self.share(of: inputs, among: isTransposed ? columns : rows)
            let b = Self.share(of: outputs, among: isTransposed ? rows : columns)
            let blocks = (Double(inputs) / a).rounded(.up) * (Double(outputs) / b).rounded(.up)
            let nonZeros = NonZeroLoad.expectedMost(
                ofWeights: a * b, density: kernel.density, pattern: kernel.pattern, cores: Int(blocks))
            imbalance = nonZeros / (a * b * kernel.density)
            (multiplyAdds, linkElements) = (3 * Double(samples) * nonZeros, 2 * Double(samples) * max(a, b))
            parameters = max(parameters, nonZeros)
        case .attention(let tokens, let heads, let width):
            let queries = Self.share(of: tokens, among: isTransposed ? columns : rows)
            let keys = Self.share(of: heads * tokens, among: isTransposed ? rows : columns)
            let headsHere = max(1, (keys / Double(tokens)).rounded(.up))
            multiplyAdds = 6 * queries * keys * Double(width)
            // Keys and values forward, and once more with their gradients; queries, context and theirs.
            linkElements = max(6 * keys, 6 * queries * headsHere) * Double(width)
        }
        let compute =
            multiplyAdds / core.multiplyAddsPerCycle + kernel.elementwiseOperations / area / core.operationsPerCycle
        cycles = max(compute, linkElements * WaferCore.bytesPerActivation / core.linkBytesPerCycle)
        parametersPerCore = parameters
        bytesPerCore =
            parameters * kernel.bytesPerStoredParameter
            + Double(kernel.keptElements * inFlight) * WaferCore.bytesPerActivation / area
    }

    /// The lowest rectangle of `columns` columns on which `kernel` takes at most `cycles` and its parameters fit the cores'
    /// memory; nil where `mostRows` don't do. What waits comes on top (`init(raising:until:samplesOf:fitIn:mostRows:)`).
    init?(lowest kernel: WaferKernel, columns: Int, within cycles: Double, core: WaferCore, mostRows: Int) {
        var best: KernelLayout?
        for isTransposed in [false, true] {
            func layout(_ rows: Int) -> KernelLayout {
                KernelLayout(
                    kernel, columns: columns, rows: rows, isTransposed: isTransposed, inFlight: 0, core: core)
            }
            func suffices(_ rows: Int) -> Bool {
                let layout = layout(rows)
                return layout.cycles <= cycles && layout.bytesPerCore <= core.dataBytes
            }
            // More rows never make a kernel slower or a core fuller, so the least is found by halving.
            var (low, high) = (1, min(mostRows, best.map { $0.rows - 1 } ?? mostRows))
            guard high >= 1, suffices(high) else { continue }
            while low < high {
                let middle = (low + high) / 2
                if suffices(middle) { high = middle } else { low = middle + 1 }
            }
            best = layout(low)
        }
        guard let best else { return nil }
        self = best
    }

    /// `layout` with as many more rows as it takes until `inFlight` samples of `kernel` fit the cores' memory; nil where
    /// `mostRows` don't do.
    init?(
        raising layout: KernelLayout, until inFlight: Int, samplesOf kernel: WaferKernel, fitIn core: WaferCore,
        mostRows: Int
    ) {
        let bytes =
            kernel.storedBytes + Double(kernel.keptElements * inFlight) * WaferCore.bytesPerActivation
        var rows = max(layout.rows, Int((bytes / core.dataBytes / Double(layout.columns)).rounded(.up)))
        while rows <= mostRows {
            let raised = KernelLayout(
                kernel, columns: layout.columns, rows: rows, isTransposed: layout.isTransposed, inFlight: inFlight,
                core: core)
            if raised.bytesPerCore <= core.dataBytes {
                self = raised
                return
            }
            rows += max(1, rows / 64)
        }
        return nil
    }

    private static func share(of count: Int, among cores: Int) -> Double { Double((count + cores - 1) / cores) }
}
