import Kernels

/// A weight matrix of every encoder layer that may be sparse.
public enum EncoderMatrix: Hashable, Sendable, CaseIterable {
    /// Query, key and value: three tensors `[hidden, hidden]` that follow each other.
    case queryKeyValue
    /// Attention's output, `[hidden, hidden]`.
    case attentionOutput
    /// The feed-forward layer's matrices, `[intermediate, hidden]` and `[hidden, intermediate]`.
    case intermediate
    case output
}

/// A parameter tensor with a mask.
public struct MaskedTensor: Hashable, Sendable {
    /// The tensor, `[rows, columns]`.
    public let tensor: ParameterTensor
    /// Where its mask's words lie: `rows` rows of `ceil(columns / 64)`, column c in bit c % 64 of word c / 64.
    public let words: Range<Int>

    /// Outputs of the dense layer.
    public var rows: Int { tensor.shape[0] }
    /// Inputs of the dense layer.
    public var columns: Int { tensor.shape[1] }
    /// Words of a row.
    public var wordsOfRow: Int { MaskLayout.words(of: columns) }
}

/// Where the masks of a model's sparse matrices lie in one buffer, and which of them are multiplied at once.
public struct MaskLayout: Sendable {
    /// The masked tensors, in the order of the parameters.
    public let tensors: [MaskedTensor]
    /// 64-bit words of all masks.
    public let wordCount: Int
    /// What one product multiplies with.
    let products: [Product]

    /// One tensor, or several that follow each other, as the engine multiplies with them.
    struct Product: Hashable, Sendable {
        /// Elements of the flat buffer of parameters.
        let weight: Range<Int>
        let words: Range<Int>
        let rows: Int
        let columns: Int
    }

    /// Words of a row of `columns` bits.
    static func words(of columns: Int) -> Int { (columns + 63) / 64 }

    /// The masks of `matrices` in every encoder layer of `layout`'s model.
    public init(_ layout: ParameterLayout, matrices: Set<EncoderMatrix>) {
        let (hidden, wide) = (layout.configuration.hidden, layout.configuration.intermediate)
        var ranges: [(weight: Range<Int>, rows: Int, columns: Int, parts: [Int])] = []
        for (index, layer) in layout.layers.enumerated() {
            // The last layer has queries for fewer tokens than keys and values, so these are products of their own.
            let parts = index == layout.layers.count - 1 ? [hidden, 2 * hidden] : [3 * hidden]
            for matrix in EncoderMatrix.allCases where matrices.contains(matrix) {
                switch matrix {
                case .queryKeyValue: ranges.append((layer.queryKeyValue.weight, 3 * hidden, hidden, parts))
                case .attentionOutput: ranges.append((layer.attentionOutput.weight, hidden, hidden, [hidden]))
                case .intermediate: ranges.append((layer.intermediate.weight, wide, hidden, [wide]))
                case .output: ranges.append((layer.output.weight, hidden, wide, [hidden]))
                }
            }
        }
        ranges.sort { $0.weight.lowerBound < $1.weight.lowerBound }
        var tensors: [MaskedTensor] = []
        var products: [Product] = []
        var end = 0
        for range in ranges {
            let start = end
            for tensor in layout.tensors where range.weight.contains(tensor.range.lowerBound) {
                let words = tensor.shape[0] * Self.words(of: tensor.shape[1])
                tensors.append(MaskedTensor(tensor: tensor, words: end..<end + words))
                end += words
            }
            var row = 0
            for rows in range.parts {
                let words = Self.words(of: range.columns)
                products.append(
                    Product(
                        weight: range.weight.lowerBound + row * range.columns..<range.weight.lowerBound
                            + (row + rows) * range.columns,
                        words: start + row * words..<start + (row + rows) * words, rows: rows, columns: range.columns))
                row += rows
            }
        }
        self.tensors = tensors
        self.products = products
        wordCount = end
    }

    /// Weights that are masked or kept.
    public var elementCount: Int { tensors.reduce(0) { $0 + $1.tensor.range.count } }
}
