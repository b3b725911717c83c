/// Something that is wrong with an emulated machine. The training stays exact whatever it is.
///
/// Spelt `slow-worker=3:1.5x`, `slow-link=worker2:4x`, `slow-link=node1:4x`, `drop=0.5%`,
/// `drop=node1:1%`, `jitter=0.05`, `fail-node=2@40`.
public enum EmulatedFault: Hashable, Sendable, Codable {
    /// The device of a worker takes so many times as long for everything.
    case slowWorker(place: Int, factor: Double)
    /// The links of a worker's device within its node carry so many times less.
    case slowDeviceLink(place: Int, factor: Double)
    /// The network interfaces of a node carry so many times less.
    case slowNetworkInterface(node: Int, factor: Double)
    /// This share of the frames that leave any node is lost, or of those that leave or reach one node, and is sent again after
    /// a time-out.
    case loss(node: Int?, share: Double)
    /// Every device's time wavers from step to step, with this coefficient of variation.
    case jitter(share: Double)
    /// All workers of a node are lost at a step, and the others go on.
    case failedNode(node: Int, step: StepNumber)

    /// Factors by which something can be slow, and shares by which times can waver.
    public static let factorRange = 1.0...1_000
    /// Shares of frames that can be lost: beyond a half nothing gets through in a time that is worth waiting for.
    public static let lossRange = 0.0...0.5
    /// What a lost frame waits for: the least retransmission time-out of Linux's TCP (`TCP_RTO_MIN`, 200 ms), which is that of
    /// a sender whose round trips take microseconds. (RFC 6298 would have a second; InfiniBand's and RoCE's usual time-out of
    /// 14, 4.096 us x 2^14, is 67 ms.)
    public static let retransmissionTimeoutSeconds = 0.2
    /// Coefficients of variation: beyond a half, a normal distribution would have to be cut.
    public static let jitterRange = 0.0...0.5

    /// What can be spelt.
    public static let spellings =
        "slow-worker=WORKER:FACTORx, slow-link=workerWORKER:FACTORx, slow-link=nodeNODE:FACTORx, drop=SHARE%, "
        + "drop=nodeNODE:SHARE%, jitter=SHARE, fail-node=NODE@STEP"

    /// The fault that `text` spells.
    ///
    /// - Throws: `EmulationSettings.Violation` where it spells none.
    public init(parsing text: String) throws(EmulationSettings.Violation) {
        guard let fault = Self.fault(text) else {
            throw EmulationSettings.Violation(
                description: "'\(text)' is no fault of an emulated machine; allowed are \(Self.spellings)")
        }
        self = fault
    }

    private static func fault(_ text: String) -> EmulatedFault? {
        let halves = text.split(separator: "=", omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        if halves[0] == "jitter" { return Double(halves[1]).map { .jitter(share: $0) } }
        if halves[0] == "fail-node" {
            let parts = halves[1].split(separator: "@", omittingEmptySubsequences: false)
            guard parts.count == 2, let node = index(parts[0]), let step = index(parts[1]) else { return nil }
            return .failedNode(node: node, step: StepNumber(step))
        }
        let parts = halves[1].split(separator: ":", omittingEmptySubsequences: false)
        if halves[0] == "drop" { return loss(parts) }
        guard parts.count == 2, parts[1].hasSuffix("x"), let factor = Double(parts[1].dropLast()) else { return nil }
        switch halves[0] {
        case "slow-worker": return index(parts[0]).map { .slowWorker(place: $0, factor: factor) }
        case "slow-link" where parts[0].hasPrefix("worker"):
            return index(parts[0].dropFirst("worker".count)).map { .slowDeviceLink(place: $0, factor: factor) }
        case "slow-link" where parts[0].hasPrefix("node"):
            return index(parts[0].dropFirst("node".count)).map { .slowNetworkInterface(node: $0, factor: factor) }
        default: return nil
        }
    }

    private static func loss(_ parts: [Substring]) -> EmulatedFault? {
        guard let last = parts.last, last.hasSuffix("%"), let percent = Double(last.dropLast()) else { return nil }
        if parts.count == 1 { return .loss(node: nil, share: percent / 100) }
        guard parts.count == 2, parts[0].hasPrefix("node"), let node = index(parts[0].dropFirst("node".count)) else {
            return nil
        }
        return .loss(node: node, share: percent / 100)
    }

    private static func index(_ text: Substring) -> Int? {
        guard text.allSatisfy(\.isWholeNumber) else { return nil }
        return Int(text)
    }

    /// As it is spelt.
    public var text: String {
        switch self {
        case .slowWorker(let place, let factor): "slow-worker=\(place):\(factor)x"
        case .slowDeviceLink(let place, let factor): "slow-link=worker\(place):\(factor)x"
        case .slowNetworkInterface(let node, let factor): "slow-link=node\(node):\(factor)x"
        case .loss(let node, let share):
            "drop=" + (node.map { "node\($0):" } ?? "") + "\((share * 1e6).rounded() / 1e4)%"
        case .jitter(let share): "jitter=\(share)"
        case .failedNode(let node, let step): "fail-node=\(node)@\(step)"
        }
    }

    /// Throws where a number is out of its range or there is no such worker.
    func check(workers: Int) throws(EmulationSettings.Violation) {
        switch self {
        case .slowWorker(let index, let factor), .slowDeviceLink(let index, let factor),
            .slowNetworkInterface(let index, let factor):
            guard Self.factorRange.contains(factor) else {
                throw EmulationSettings.Violation(description: "\(text): the factor must be 1 to 1000")
            }
            // There are no more nodes than workers; which there are is the profile's affair.
            guard (0..<workers).contains(index) else {
                throw EmulationSettings.Violation(
                    description: "\(text): there is none of that number; allowed are 0 to \(workers - 1)")
            }
        case .failedNode(let node, let step):
            guard (0..<workers).contains(node), step.index > 0 else {
                throw EmulationSettings.Violation(
                    description: "\(text): nodes are 0 to \(workers - 1) at most, and steps 1 and more")
            }
        case .loss(let node, let share):
            guard Self.lossRange.contains(share), node.map((0..<workers).contains) ?? true else {
                throw EmulationSettings.Violation(
                    description: "\(text): the share must be 0% to 50%, and nodes are 0 to \(workers - 1) at most")
            }
        case .jitter(let share):
            guard Self.jitterRange.contains(share) else {
                throw EmulationSettings.Violation(description: "\(text): the share must be 0 to 0.5")
            }
        }
    }
}
