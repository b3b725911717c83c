import CCorpusData

extension CorpusData {
    /// The data file's bytes.
    var content: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: count) }

    /// The data file's text.
    var text: String { String(decoding: content, as: UTF8.self) }
}
