import BERT
import Digests

/// SHA-256 of a model: equal digests, equal weights.
public enum WeightsDigest {
    /// The digest, in hexadecimal, over each tensor in layout order: its name, shape and elements.
    public static func hexadecimal(layout: ParameterLayout, weights: UnsafePointer<Float>) -> String {
        let sum = SHA256()
        for tensor in layout.tensors {
            sum.update("\(tensor.name) \(tensor.shape.map(String.init).joined(separator: "x"))\n")
            sum.update(
                UnsafeRawBufferPointer(
                    start: weights + tensor.range.lowerBound, count: tensor.range.count * MemoryLayout<Float>.size))
        }
        return sum.finish()
    }
}
