import Jobs
import Synchronization

/// Finds documents that are nearly the same as an earlier one, by locality-sensitive hashing of their MinHash signatures.
///
/// Documents that agree on a band are compared by their signatures; those that are similar are joined, and of what is
/// joined, directly or through others, the first document is kept (connected components, as in Lee et al. 2022). The
/// outcome depends on the signatures and their order alone.
struct NearDuplicates: Sendable {
    /// The documents of a bucket that others are compared with, at most, so that a large bucket takes no quadratic time.
    static let mostLeaders = 64
    /// The signatures of so many documents are in memory at once while all are gone through: 16 MiB.
    private static let releasedDocuments = 1 << 16

    private let signatures: [(file: MappedFile?, firstDocument: Int)]
    private let documents: Int
    private let isKept: [[Bool]]
    private let similarity: Double
    private let bands: MinHash.Bands

    /// - Parameters:
    ///   - signatures: for each unit the file of its documents' signatures, and the number of its first document.
    ///   - isKept: for each unit and each of its documents whether it is looked at.
    init(
        signatures: [(MappedFile?, Int)], documents: Int, isKept: [[Bool]], similarity: Double
    ) {
        self.signatures = signatures
        self.documents = documents
        self.isKept = isKept
        self.similarity = similarity
        bands = MinHash.Bands(similarity: similarity)
    }

    /// The documents to leave out, ascending.
    func find(threads: Int, grouping: Grouping, isCancelled: @escaping @Sendable () -> Bool) throws -> [Int] {
        let edges = Mutex<[(UInt32, UInt32)]>([])
        let share = Grouping(mostEntries: max(1 << 16, grouping.mostEntries / max(1, threads)))
        try WorkerThreads.run(jobs: bands.count, threads: threads) { band in
            let found = try similarPairs(band: band, grouping: share, isCancelled: isCancelled)
            edges.withLock { $0.append(contentsOf: found) }
        }
        return Self.laterMembers(of: edges.withLock { $0 }, documents: documents)
    }

    private func similarPairs(
        band: Int, grouping: Grouping, isCancelled: @Sendable () -> Bool
    ) throws -> [(UInt32, UInt32)] {
        var pairs: [(UInt32, UInt32)] = []
        try grouping.forEach(
            count: documents,
            keys: { add in
                for (unit, source) in signatures.enumerated() {
                    if isCancelled() { throw CorpusError.cancelled }
                    guard let file = source.file else { continue }
                    for (index, isKept) in isKept[unit].enumerated() where isKept {
                        let key = bands.key(Self.signature(index, file), band: band)
                        add(key, UInt32(source.firstDocument + index))
                        if (index + 1) % Self.releasedDocuments == 0 {
                            let end = (index + 1) * MinHash.bytes
                            file.release((end - Self.releasedDocuments * MinHash.bytes)..<end)
                        }
                    }
                    file.release(0..<file.count)
                }
            },
            group: { bucket in
                var leaders: [UInt32] = []
                for document in bucket {
                    let leader = leaders.first {
                        MinHash.similarity(signature($0), signature(document)) >= similarity
                    }
                    if let leader {
                        pairs.append((leader, document))
                    } else if leaders.count < Self.mostLeaders {
                        leaders.append(document)
                    }
                }
            })
        return pairs
    }

    /// Of documents that pairs join, all but the first.
    static func laterMembers(of pairs: [(UInt32, UInt32)], documents: Int) -> [Int] {
        guard !pairs.isEmpty else { return [] }
        var parents = Array(0..<UInt32(documents))
        func root(_ document: UInt32) -> UInt32 {
            var document = document
            while parents[Int(document)] != document {
                parents[Int(document)] = parents[Int(parents[Int(document)])]
                document = parents[Int(document)]
            }
            return document
        }
        for (first, second) in pairs {
            let left = root(first)
            let right = root(second)
            // The smallest number is the root, so that it doesn't matter in which order pairs come.
            parents[Int(max(left, right))] = min(left, right)
        }
        return parents.indices.filter { root(UInt32($0)) != UInt32($0) }
    }

    private func signature(_ document: UInt32) -> UnsafeRawBufferPointer {
        var low = 0
        var high = signatures.count - 1
        while low < high {
            let middle = (low + high + 1) / 2
            if signatures[middle].firstDocument <= Int(document) { low = middle } else { high = middle - 1 }
        }
        guard let file = signatures[low].file else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return Self.signature(Int(document) - signatures[low].firstDocument, file)
    }

    private static func signature(_ index: Int, _ file: MappedFile) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: file.bytes[(index * MinHash.bytes)..<((index + 1) * MinHash.bytes)])
    }
}
