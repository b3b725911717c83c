import Jobs

/// stub
public final class SyntheticAbstracts: DocumentSource {
    private let documents: Int
    private var next = 0
    public init(documents: Int, seed: UInt64) { self.documents = documents }
    public var fractionRead: Double { Double(next) / Double(documents) }
    public func next(into document: inout TextDocument) throws -> Bool {
        document.removeAll()
        if next == documents { return false }
        document.append("hello \(next)")
        next += 1
        return true
    }
}
