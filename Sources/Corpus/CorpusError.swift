import Jobs

/// What can be wrong with text, a vocabulary or a dataset folder. `description` is one line for the user.
public enum CorpusError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is no file at `path`.
    case missing(path: String)
    /// `path` is a directory, a device or another thing that is no regular file.
    case notAFile(path: String, kind: String)
    /// The file couldn't be opened or read.
    case unreadable(path: String, reason: String)
    /// The file holds bytes that no text holds.
    case binary(path: String, line: Int, byte: Int, reason: String)
    /// The file holds no sentence.
    case noText(path: String)
    /// A line is longer than the limit.
    case lineTooLong(path: String, line: Int, byte: Int, limit: Bytes)
    /// A document goes on for longer than the limit with no blank line.
    case documentTooLong(path: String, firstLine: Int, limit: Bytes)
    /// A `.gz` file is damaged or ends too early; `byte` is the place in the compressed file.
    case damagedGzip(path: String, byte: Int, reason: String)
    /// A `.gz` file grows by more than any text does.
    case gzipBomb(path: String, byte: Int, ratio: Int, limit: Int)
    /// A file breaks the rules of its format; `byte` is the place in the unpacked text.
    case malformed(path: String, byte: Int, reason: String)
    /// The text can't fill a vocabulary of the size asked.
    case vocabularyTooLarge(asked: Int, possible: Int)
    /// The size asked can't hold the special tokens and the letters of the text.
    case vocabularyTooSmall(asked: Int, needed: Int)
    /// A `vocab.txt` breaks a rule.
    case badVocabulary(path: String, line: Int, reason: String)
    /// A setting is outside its range.
    case badSetting(name: String, found: String, allowed: String)
    /// One side of the split has too few documents.
    case tooFewDocuments(split: Split, found: Int, needed: Int)
    /// A file couldn't be written: no space, no permission and the like.
    case unwritable(path: String, reason: String)
    /// The folder at `path` is no dataset, is from another version, or is damaged.
    case badDataset(path: String, reason: String)
    /// The folder at `path` is no imported corpus, is from another version, or is damaged.
    case badCorpus(path: String, reason: String)
    /// A file or a listing couldn't be downloaded.
    case fetch(address: String, reason: String)
    /// The folder holds an import of other files or with other options.
    case otherImport(path: String, difference: String)
    /// The corpus folder at `path` has no vocabulary.
    case missingVocabulary(path: String)
    /// A text isn't what it was when it was imported.
    case changedText(path: String)
    /// Another process writes the folder at `path`.
    case busy(path: String)
    /// A dataset doesn't hold what is asked of it.
    case unfitDataset(path: String, key: String, found: String, allowed: String)
    /// An example that isn't there was asked for.
    case noSuchExample(number: Int, count: Int)
    /// The caller asked to stop.
    case cancelled

    /// Whether the command line or a file that it names is at fault, not what happened afterwards.
    public var isWrongInput: Bool {
        switch self {
        case .unwritable, .cancelled, .busy, .changedText, .fetch: false
        case .missing, .notAFile, .unreadable, .binary, .noText, .lineTooLong, .documentTooLong, .damagedGzip,
            .gzipBomb, .malformed, .vocabularyTooLarge, .vocabularyTooSmall, .badVocabulary, .badSetting,
            .tooFewDocuments, .badDataset, .badCorpus, .missingVocabulary, .unfitDataset, .noSuchExample,
            .otherImport:
            true
        }
    }

    /// One line for the user: where, what was found, what to do.
    public var description: String {
        switch self {
        case .missing(let path):
            "\(path): there is no such file"
        case .notAFile(let path, let kind):
            "\(path): is \(kind); a text file (plain or .gz) is needed"
        case .unreadable(let path, let reason):
            "\(path): can't be read: \(reason)"
        case .binary(let path, let line, let byte, let reason):
            "\(path): line \(line), byte \(byte): not text: \(reason); UTF-8, plain or gzip, is needed"
        case .noText(let path):
            "\(path): holds no sentence; one sentence a line and a blank line between documents are needed"
        case .lineTooLong(let path, let line, let byte, let limit):
            "\(path): line \(line), byte \(byte): the line is longer than \(limit.count) bytes; put one sentence on a line"
        case .documentTooLong(let path, let firstLine, let limit):
            "\(path): the document from line \(firstLine) is longer than \(limit.count) bytes; "
                + "put a blank line between documents"
        case .damagedGzip(let path, let byte, let reason):
            "\(path): compressed byte \(byte): damaged gzip: \(reason)"
        case .gzipBomb(let path, let byte, let ratio, let limit):
            "\(path): compressed byte \(byte): the data grows \(ratio) times when unpacked; at most \(limit) is allowed"
        case .malformed(let path, let byte, let reason):
            "\(path): byte \(byte): \(reason)"
        case .vocabularyTooLarge(let asked, let possible):
            "a vocabulary of \(asked) was asked for; this text fills \(possible); ask for at most that"
        case .vocabularyTooSmall(let asked, let needed):
            "a vocabulary of \(asked) was asked for; special tokens and letters alone need \(needed)"
        case .badVocabulary(let path, let line, let reason):
            "\(path): line \(line): \(reason)"
        case .badSetting(let name, let found, let allowed):
            "\(name): found \(found); allowed is \(allowed)"
        case .tooFewDocuments(let split, let found, let needed):
            "the \(split.words) text has \(found) documents; at least \(needed) are needed: "
                + "give more text or another share of held-out documents"
        case .unwritable(let path, let reason):
            "\(path): can't be written: \(reason)"
        case .badDataset(let path, let reason):
            "\(path): not a usable dataset: \(reason); build it again"
        case .badCorpus(let path, let reason):
            "\(path): not a usable corpus: \(reason); make it with 'wafermark corpus import SOURCE --into \(path)'"
        case .fetch(let address, let reason):
            "\(address): can't be downloaded: \(reason)"
        case .otherImport(let path, let difference):
            "\(path): holds another import: \(difference); give another folder, or delete this one"
        case .missingVocabulary(let path):
            "\(path): has no vocab.txt; learn one with 'wafermark corpus vocabulary \(path) --size 30522'"
        case .changedText(let path):
            "\(path): has changed since it was imported; import its source again"
        case .busy(let path):
            "\(path): another process is writing it; wait for its end"
        case .unfitDataset(let path, let key, let found, let allowed):
            "\(path): \(key): found \(found); allowed: \(allowed)"
        case .noSuchExample(let number, let count):
            "example \(number) was asked for; there are \(count), numbered from 0"
        case .cancelled:
            "cancelled"
        }
    }
}

/// The two parts of a corpus. A document belongs to exactly one.
public enum Split: String, Hashable, Sendable, Codable, CaseIterable {
    /// What the weights are learned from.
    case training
    /// What quality is measured on.
    case heldOut = "held_out"

    /// The part's name in a sentence.
    public var words: String {
        switch self {
        case .training: "training"
        case .heldOut: "held-out"
        }
    }
}
