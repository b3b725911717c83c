import Digests
import Foundation

extension DatasetManifest {
    /// The file's name.
    static let fileName = "manifest.json"
    /// The file that holds the manifest's own digest, in the form that `sha256sum --check` reads.
    static let digestFileName = "manifest.sha256"
    /// The most bytes of a manifest: thousands of shards.
    private static let sizeLimit = 256 << 20

    /// The JSON of `manifest.json`: sorted keys, so that equal manifests are equal bytes.
    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return Array(try encoder.encode(self)) + [0x0a]
    }

    /// The manifest of the dataset in `directory`, and its digest, which names the dataset by its contents.
    static func read(from directory: String) throws -> (manifest: DatasetManifest, digest: String) {
        let path = directory + "/" + fileName
        let file: MappedFile
        do {
            file = try MappedFile(path: path)
        } catch CorpusError.missing {
            throw CorpusError.badDataset(path: directory, reason: "it has no \(fileName)")
        }
        guard file.count <= sizeLimit else {
            throw CorpusError.badDataset(path: directory, reason: "\(fileName) is larger than \(sizeLimit) bytes")
        }
        let digest = SHA256.hexadecimal(of: file.bytes)
        guard let stated = try? MappedFile(path: directory + "/" + digestFileName),
            stated.bytes.elementsEqual(digestLine(digest))
        else { throw CorpusError.badDataset(path: directory, reason: "\(fileName) has changed since it was written") }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let data = Data(file.bytes)
        struct Version: Decodable { var format: Int }
        do {
            let format = try decoder.decode(Version.self, from: data).format
            guard format == currentFormat else {
                throw CorpusError.badDataset(
                    path: directory, reason: "its format is \(format); this program reads \(currentFormat)")
            }
            return (try decoder.decode(DatasetManifest.self, from: data), digest)
        } catch let error as DecodingError {
            throw CorpusError.badDataset(path: directory, reason: "\(fileName): \(error.words)")
        }
    }

    /// The contents of `manifest.sha256` for a manifest of this digest.
    static func digestLine(_ digest: String) -> [UInt8] { Array("\(digest)  \(fileName)\n".utf8) }
}
