import Jobs
import PerformanceModel

/// The messages of an exchange and who waits for what, by numbers: what a device has computed of a bucket, and the arrival and
/// the sending of each message.
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
    private let buckets: Int

    /// The messages of `exchange`.
    init(_ exchange: EmulatedStepReplay.Exchange) {
        self.exchange = exchange
        let plan = exchange.messages
        messages = plan.messages
        let buckets = exchange.buckets
        self.buckets = buckets
        let own = exchange.laneCounts.count * buckets
        let count = own + 2 * plan.messages.count
        func number(_ need: GradientMessages.Need) -> Int {
            switch need {
            case .own(let worker, let bucket): worker * buckets + bucket
            case .arrival(let message): own + 2 * message
            case .sending(let message): own + 2 * message + 1
            }
        }
        var followers = [[Int32]](repeating: [], count: count)
        var contributed = followers
        var summed = followers
        var partialSums = [Int32](repeating: 0, count: exchange.laneCounts.count)
        for (index, message) in plan.messages.enumerated() {
            for need in message.needs { followers[number(need)].append(Int32(index)) }
            guard !message.isTotal else { continue }
            contributed[number(.arrival(index))].append(Int32(message.receiver))
            partialSums[message.receiver] += 1
        }
        for (device, needs) in plan.completions.enumerated() {
            for need in needs { summed[number(need)].append(Int32(device)) }
        }
        self.followers = followers
        self.contributed = contributed
        self.summed = summed
        messageNeeds = plan.messages.map { Int32($0.needs.count) }
        sumNeeds = plan.completions.map { Int32($0.count) }
        partialSumNeeds = partialSums
    }

    /// Buckets that are complete once the gradient is final before element `end`.
    func filled(upTo end: Int) -> Int { end >= exchange.elements ? buckets : end / exchange.bucketElements }

    /// The numbers of needs.
    func own(_ device: Int, _ bucket: Int) -> Int { device * buckets + bucket }
    func arrival(_ message: Int) -> Int { exchange.laneCounts.count * buckets + 2 * message }
    func sending(_ message: Int) -> Int { exchange.laneCounts.count * buckets + 2 * message + 1 }
}
