import Foundation

/// The entries of a WordPiece vocabulary, by number: the special tokens, whole words and word beginnings, and `##`
/// continuations.
public struct Vocabulary: Sendable, Hashable {
    /// The tokens that BERT gives a meaning, in the order in which a trained vocabulary begins.
    public enum Special: String, CaseIterable, Sendable {
        case padding = "[PAD]"
        case unknown = "[UNK]"
        case classifier = "[CLS]"
        case separator = "[SEP]"
        case mask = "[MASK]"
    }

    /// The most entries: ids are stored in 32 bits, and no published BERT vocabulary is near this.
    public static let largestSize = 1 << 22

    /// The entries; an entry's place is its id.
    public let tokens: [String]
    /// By UTF-8, because strings that are canonically equivalent are equal in Swift and different entries here.
    private let ids: [[UInt8]: Int32]
    /// The id of `[PAD]`.
    public let paddingID: Int32
    /// The id of `[UNK]`.
    public let unknownID: Int32
    /// The id of `[CLS]`.
    public let classifierID: Int32
    /// The id of `[SEP]`.
    public let separatorID: Int32
    /// The id of `[MASK]`.
    public let maskID: Int32

    /// A vocabulary of `tokens`, all different, the five special ones among them. `path` is for errors alone.
    public init(tokens: [String], path: String = "vocabulary") throws {
        guard tokens.count <= Self.largestSize else {
            throw CorpusError.badVocabulary(
                path: path, line: tokens.count, reason: "more than \(Self.largestSize) entries")
        }
        var ids = [[UInt8]: Int32](minimumCapacity: tokens.count)
        for (index, token) in tokens.enumerated() {
            guard !token.isEmpty else {
                throw CorpusError.badVocabulary(
                    path: path, line: index + 1, reason: "an empty entry; one token a line is needed")
            }
            if let other = ids.updateValue(Int32(index), forKey: Array(token.utf8)) {
                throw CorpusError.badVocabulary(
                    path: path, line: index + 1, reason: "'\(token)' again; it is entry \(other + 1) already")
            }
        }
        func special(_ token: Special) throws -> Int32 {
            guard let id = ids[Array(token.rawValue.utf8)] else {
                throw CorpusError.badVocabulary(
                    path: path, line: tokens.count, reason: "\(token.rawValue) isn't among the \(tokens.count) entries")
            }
            return id
        }
        paddingID = try special(.padding)
        unknownID = try special(.unknown)
        classifierID = try special(.classifier)
        separatorID = try special(.separator)
        maskID = try special(.mask)
        self.tokens = tokens
        self.ids = ids
    }

    /// Reads a `vocab.txt`: one token a line, UTF-8.
    public init(path: String) throws {
        let source = try ByteSource(path: path)
        var bytes: [UInt8] = []
        while let chunk = try source.next() {
            bytes.append(contentsOf: chunk)
            guard bytes.count <= 256 << 20 else {
                throw CorpusError.badVocabulary(path: path, line: 1, reason: "the file is larger than 256 MiB")
            }
        }
        var lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        var tokens: [String] = []
        tokens.reserveCapacity(lines.count)
        for (index, line) in lines.enumerated() {
            let token = line.last == 0x0d ? line.dropLast() : line
            guard let text = String(validating: token, as: UTF8.self), !token.contains(0) else {
                throw CorpusError.badVocabulary(path: path, line: index + 1, reason: "no valid UTF-8 text")
            }
            tokens.append(text)
        }
        try self.init(tokens: tokens, path: path)
    }

    /// The number of entries.
    public var count: Int { tokens.count }

    /// The id of `token`, or nil.
    public func id(of token: String) -> Int32? { ids[Array(token.utf8)] }

    /// The entry at `id`, or nil.
    public func token(_ id: Int32) -> String? {
        id >= 0 && Int(id) < tokens.count ? tokens[Int(id)] : nil
    }

    /// Whether `id` is one of the five special tokens.
    public func isSpecial(_ id: Int32) -> Bool {
        id == paddingID || id == unknownID || id == classifierID || id == separatorID || id == maskID
    }

    /// The contents of `vocab.txt`: one token a line.
    public var fileContents: [UInt8] {
        var bytes: [UInt8] = []
        for token in tokens {
            bytes.append(contentsOf: token.utf8)
            bytes.append(0x0a)
        }
        return bytes
    }

    /// The text of `ids` for people: continuations joined, a space between words.
    public func text(of ids: some Sequence<Int32>) -> String {
        var text = ""
        for id in ids {
            let token = token(id) ?? "[\(id)]"
            if token.utf8.starts(with: "##".utf8), !text.isEmpty {
                text += String(token.unicodeScalars.dropFirst(2))
            } else {
                if !text.isEmpty { text += " " }
                text += token
            }
        }
        return text
    }
}

extension Vocabulary: CustomStringConvertible {
    /// The number of entries: a vocabulary is too large to print.
    public var description: String { "vocabulary of \(count) entries" }
}
