import CCores
import Foundation

/// Cores of this machine, by their numbers.
public struct CoreSet: Hashable, Sendable {
    /// In ascending order, at least one.
    public let cores: [Int]

    /// The environment variable by which a daemon tells its processes where to run.
    public static let variable = "WAFERMARK_CORES"
    /// Numbers beyond this are not asked for.
    private static let limit = 4_096
    private static let bitsAWord = UInt.bitWidth

    /// The set of `cores`; nil where there are none, or one has no such number.
    public init?(_ cores: [Int]) {
        guard !cores.isEmpty, cores.allSatisfy({ (0..<Self.limit).contains($0) }) else { return nil }
        self.cores = Set(cores).sorted()
    }

    /// The set that `text` spells, such as `0,2,3`; nil where it spells none.
    public init?(parsing text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { Int($0) }
        guard numbers.count == parts.count else { return nil }
        self.init(numbers)
    }

    /// The numbers, with commas between them.
    public var text: String { cores.map(String.init).joined(separator: ",") }

    /// The cores that this process may run on; nil where the system doesn't say.
    public static func ofThisProcess() -> CoreSet? {
        var words = [UInt](repeating: 0, count: limit / bitsAWord)
        guard wafermark_get_cores(&words, words.count) != 0 else { return nil }
        return CoreSet((0..<limit).filter { words[$0 / bitsAWord] >> ($0 % bitsAWord) & 1 == 1 })
    }

    /// How many cores this process may run on: of those that are on, the ones that its affinity leaves.
    static var available: Int { ofThisProcess()?.cores.count ?? ProcessInfo.processInfo.activeProcessorCount }

    /// Keeps this thread, and those that it starts from now on, on these cores; whether the system allows it.
    @discardableResult
    public func confine() -> Bool {
        var words = [UInt](repeating: 0, count: Self.limit / Self.bitsAWord)
        for core in cores { words[core / Self.bitsAWord] |= 1 << (core % Self.bitsAWord) }
        return wafermark_set_cores(words, words.count) != 0
    }
}

extension CoreSet {
    /// What is added to the environment of a process that may run on `cores` alone; nothing for nil.
    static func environment(_ cores: CoreSet?) -> [String: String] {
        cores.map { [variable: $0.text] } ?? [:]
    }
}
