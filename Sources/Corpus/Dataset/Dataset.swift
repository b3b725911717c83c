import Digests
import Jobs

/// A prepared corpus, opened: examples by number, from memory-mapped files, for any number of threads and processes.
///
/// What an example is made of lies in the folder; which form of it is seen is drawn by an `ExampleReader`.
public struct Dataset: Sendable {
    /// What is compared with the manifest when a dataset is opened.
    public enum Verification: Sendable {
        /// The vocabulary's digest, and the sizes of all other files.
        case sizes
        /// The digests of all files but the tokens, which are much the largest and are checked as they are read.
        case indexes
        /// The digests of all files.
        case everything
    }

    static let vocabularyName = "vocab.txt"

    /// The folder.
    public let directory: String
    /// What the folder says of itself.
    public let manifest: DatasetManifest
    /// SHA-256 of the manifest, which names the dataset by its contents.
    public let digest: String
    /// The vocabulary.
    public let vocabulary: Vocabulary
    let training: SideReader
    let heldOut: SideReader
    let maskingTable: MaskingTable

    /// Opens the dataset in `directory`. Throws `.badDataset` where the folder is none, is from another version, or is
    /// damaged as far as was looked.
    public init(opening directory: String, verifying verification: Verification = .indexes) throws {
        self.directory = directory
        (manifest, digest) = try DatasetManifest.read(from: directory)
        guard manifest.tokenBytes == 2 || manifest.tokenBytes == 4 else {
            throw CorpusError.badDataset(path: directory, reason: "tokens of \(manifest.tokenBytes) bytes")
        }
        do {
            for file in manifest.files { try Self.check(file, in: directory, verification) }
            vocabulary = try Vocabulary(path: directory + "/" + Self.vocabularyName)
            guard vocabulary.count == manifest.vocabularySize else {
                throw CorpusError.badDataset(
                    path: directory,
                    reason: "vocab.txt has \(vocabulary.count) entries; \(manifest.vocabularySize) are due")
            }
            training = try SideReader(.training, of: manifest, in: directory)
            heldOut = try SideReader(.heldOut, of: manifest, in: directory)
        } catch CorpusError.missing(let path) {
            throw CorpusError.badDataset(path: directory, reason: "\(path.split(separator: "/").last ?? "") is missing")
        } catch CorpusError.badVocabulary(_, let line, let reason) {
            throw CorpusError.badDataset(path: directory, reason: "vocab.txt line \(line): \(reason)")
        }
        maskingTable = MaskingTable(vocabulary)
    }

    private static func check(
        _ file: DatasetManifest.File, in directory: String, _ verification: Verification
    ) throws {
        guard !file.name.isEmpty, !file.name.contains("/"), !file.name.hasPrefix("."), !file.name.utf8.contains(0)
        else {
            throw CorpusError.badDataset(path: directory, reason: "the manifest names a file '\(file.name)'")
        }
        let needsDigest =
            switch verification {
            case .sizes: file.name == vocabularyName
            case .indexes: !file.name.hasSuffix(".tokens")
            case .everything: true
            }
        if let damage = try damage(of: file, in: directory, digest: needsDigest) {
            throw CorpusError.badDataset(path: directory, reason: damage)
        }
    }

    /// What is wrong with a file of the folder; nil where it is as the manifest says.
    static func damage(of file: DatasetManifest.File, in directory: String, digest: Bool = true) throws -> String? {
        let mapped = try MappedFile(path: directory + "/" + file.name)
        if mapped.count != file.bytes { return "\(file.name) has \(mapped.count) bytes; \(file.bytes) are due" }
        if digest, SHA256.hexadecimal(of: mapped.bytes) != file.digest {
            return "\(file.name) has changed since it was written"
        }
        return nil
    }

    subscript(side: Split) -> SideReader { side == .training ? training : heldOut }

    /// The sequence lengths that there are examples of, ascending.
    public var sequences: [Int] { manifest.settings.sequences }

    /// The number of examples of `sequence` tokens on one side; 0 where the dataset wasn't prepared for that length.
    public func exampleCount(sequence: Int, split: Split) -> Int { self[split].exampleCount(sequence: sequence) }

    /// The number of the training example at `position`, counted from the phase's start, and its epoch: each epoch is a
    /// seeded shuffle of all examples, with no repeats and none left out.
    public func number(at position: UInt64, sequence: Int, seed: UInt64) throws -> (number: Int, epoch: UInt64) {
        let count = exampleCount(sequence: sequence, split: .training)
        guard count > 0 else { throw CorpusError.noSuchExample(number: 0, count: 0) }
        let (epoch, place) = position.quotientAndRemainder(dividingBy: UInt64(count))
        let order = ExampleOrder(count: count, seed: seed, epoch: epoch, sequence: sequence)
        return (order.number(at: Int(place)), epoch)
    }

    /// Refuses what the dataset can't give: sequence lengths that it wasn't made for, and settings that were fixed when it
    /// was made. Throws `.unfitDataset`.
    public func check(sequences asked: [Int], examples: ExampleSettings) throws {
        let made = manifest.settings.examples
        func refuse(_ key: String, _ found: String, _ allowed: String) throws {
            throw CorpusError.unfitDataset(path: directory, key: key, found: found, allowed: allowed)
        }
        for sequence in asked where !sequences.contains(sequence) {
            try refuse(
                "sequence", "\(sequence)",
                "\(sequences.map(String.init).joined(separator: ", ")), which the corpus was built for")
        }
        if examples.nextSentence != made.nextSentence {
            try refuse("next_sentence", "\(examples.nextSentence)", "\(made.nextSentence), as the corpus was built")
        }
        if examples.shortSequenceShare != made.shortSequenceShare {
            try refuse(
                "short_sequence_share", "\(examples.shortSequenceShare)",
                "\(made.shortSequenceShare), as the corpus was built")
        }
        if examples.staticMasks != made.staticMasks {
            func words(_ masks: Int?) -> String { masks.map(String.init) ?? "none" }
            try refuse(
                "static_masks", words(examples.staticMasks), "\(words(made.staticMasks)), as the corpus was built")
        }
        if made.staticMasks != nil {
            if examples.maskedShare != made.maskedShare {
                try refuse("masked_share", "\(examples.maskedShare)", "\(made.maskedShare), as the corpus was built")
            }
            if examples.masking != made.masking {
                try refuse("masking", examples.masking.rawValue, "\(made.masking.rawValue), as the corpus was built")
            }
        }
    }
}

extension Dataset: CustomStringConvertible {
    /// The folder and the number of documents: a dataset is too large to print.
    public var description: String {
        "dataset \(directory) of \(manifest.training.counts.documents + manifest.heldOut.counts.documents) documents"
    }
}
