import Jobs
import PerformanceModel

/// The messages of an exchange and who waits for what, by numbers: a device's beginning of the step, what it has computed of a
/// bucket, and the arrival and the sending of each message.
struct MessageWeb: Sendable {
    /// All messages.
    let messages: [GradientMessages.Message]
    /// What each need holds up: messages; devices that wait for their last partial sum; devices that wait for the whole sum.
    private(set) var followers: [[Int32]]
    private(set) var contributed: [[Int32]]
    private(set) var summed: [[Int32]]
    /// How much each message, each device's sum and its last partial sum wait for at a step's start.
    let messageNeeds: [Int32]
    let sumNeeds: [Int32]
    let partialSumNeeds: [Int32]

    private let exchange: EmulatedStepReplay.Exchange
    private let numbering: Numbering

    /// The messages of `exchange`.
    init(_ exchange: EmulatedStepReplay.Exchange) {
        self.exchange = exchange
        let plan = exchange.messages
        messages = plan.messages
        let numbering = Numbering(devices: exchange.laneCounts.count, buckets: exchange.buckets)
        self.numbering = numbering
        var followers = [[Int32]](repeating: [], count: numbering.count(messages: plan.messages.count))
        var contributed = followers
        var summed = followers
        var partialSums = [Int32](repeating: 0, count: exchange.laneCounts.count)
        for (index, message) in plan.messages.enumerated() {
            for need in message.needs { followers[numbering.number(need)].append(Int32(index)) }
            guard !message.isTotal else { continue }
            contributed[numbering.number(.arrival(index))].append(Int32(message.receiver))
            partialSums[message.receiver] += 1
        }
        for (device, needs) in plan.completions.enumerated() {
            for need in needs { summed[numbering.number(need)].append(Int32(device)) }
        }
        self.followers = followers
        self.contributed = contributed
        self.summed = summed
        messageNeeds = plan.messages.map { Int32($0.needs.count) }
        sumNeeds = plan.completions.map { Int32($0.count) }
        partialSumNeeds = partialSums
    }

    /// Buckets that are complete once the gradient is final before element `end`.
    func filled(upTo end: Int) -> Int {
        end >= exchange.elements ? numbering.buckets : end / exchange.bucketElements
    }

    /// The number of `need`.
    func number(_ need: GradientMessages.Need) -> Int { numbering.number(need) }

    /// Numbers for all needs: first a device's beginning and its buckets, device by device, then two for each message.
    private struct Numbering: Sendable {
        let devices: Int
        let buckets: Int

        func count(messages: Int) -> Int { number(.arrival(messages)) }

        func number(_ need: GradientMessages.Need) -> Int {
            switch need {
            case .begun(let worker): worker * (buckets + 1)
            case .own(let worker, let bucket): worker * (buckets + 1) + 1 + bucket
            case .arrival(let message): devices * (buckets + 1) + 2 * message
            case .sending(let message): devices * (buckets + 1) + 2 * message + 1
            }
        }
    }
}
