/// A training or evaluation example: `[CLS] A [SEP] B [SEP]`, or `[CLS] A [SEP]` without next-sentence prediction.
public struct Example: Hashable, Sendable {
    /// The ids with masks in place; as many as there are real tokens.
    public var inputIDs: [Int32]
    /// 0 up to the first `[SEP]`, 1 after it.
    public var tokenTypes: [UInt8]
    /// The positions to predict, ascending.
    public var maskedPositions: [Int32]
    /// What stood there.
    public var maskedLabels: [Int32]
    /// Whether B follows A in its document; true where there is no B.
    public var isNext: Bool
}
