/// Tells attention's time by pairs of tokens from its time by tokens: keys and values are packed once, however many queries
/// look at them, which counts where texts are short and in a last layer with few queries.
///
/// At each width, with as many lanes side by side, the time a token is what least squares of relative errors find for all
/// shapes together,
///
///     attention's time = a x pairs + b x tokens
///
/// and what it leaves of a shape's time is that shape's time by pairs.
public enum AttentionSplit {
    /// The least share of a shape's time that goes by pairs.
    private static let leastShare = 0.1

    /// Rates of a shape, and what a lane computes of it.
    public typealias Shape = (rates: HostMachine.Rates, work: LanePassWork)

    /// The rates of `shapes`, whose attention is booked by pairs alone, with the times by tokens taken out of it.
    public static func split(_ shapes: [Shape]) -> [HostMachine.Rates] {
        shapes.map { mine in
            let alike = shapes.filter { $0.rates.hidden == mine.rates.hidden && $0.rates.busy == mine.rates.busy }
            let (booked, elements) = (mine.rates.attentionNanoseconds, elementsPerUnit(mine.work))
            var split = mine.rates
            split.attentionElementNanoseconds = min(
                nanosecondsPerElement(alike), (1 - leastShare) * booked / elements)
            split.attentionNanoseconds = booked - split.attentionElementNanoseconds * elements
            return split
        }
    }

    private static func elementsPerUnit(_ work: LanePassWork) -> Double {
        work.attentionElements / work.attentionUnits
    }

    /// `b`; 0 where the shapes don't tell.
    private static func nanosecondsPerElement(_ shapes: [Shape]) -> Double {
        // Pairs and tokens of each shape over its time: what a and b make 1 of.
        let rows = shapes.map {
            (1 / $0.rates.attentionNanoseconds, elementsPerUnit($0.work) / $0.rates.attentionNanoseconds)
        }
        func sum(_ term: ((Double, Double)) -> Double) -> Double { rows.reduce(0) { $0 + term($1) } }
        let (xx, xy, yy) = (sum { $0.0 * $0.0 }, sum { $0.0 * $0.1 }, sum { $0.1 * $0.1 })
        let determinant = xx * yy - xy * xy
        guard determinant > 1e-9 * xx * yy else { return 0 }
        return max(0, (xx * sum { $0.1 } - xy * sum { $0.0 }) / determinant)
    }
}
