import BERT
import Crypto

/// SHA-256 of a model: equal digests, equal weights.
public enum WeightsDigest {
    /// The digest, in hexadecimal, over each tensor in layout order: its name, shape and elements.
    public static func hexadecimal(layout: ParameterLayout, weights: UnsafePointer<Float>) -> String {
        var hash = SHA256()
        for tensor in layout.tensors {
            let heading = "\(tensor.name) \(tensor.shape.map(String.init).joined(separator: "x"))\n"
            hash.update(data: Array(heading.utf8))
            hash.update(
                bufferPointer: UnsafeRawBufferPointer(
                    start: weights + tensor.range.lowerBound, count: tensor.range.count * MemoryLayout<Float>.size))
        }
        return hash.finalize().hexadecimal
    }
}

extension Sequence<UInt8> {
    /// Two lower-case digits a byte.
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
