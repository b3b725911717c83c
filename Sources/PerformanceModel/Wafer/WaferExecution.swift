/// How a network runs on a wafer.
public enum WaferExecution: String, Hashable, Sendable, Codable, CaseIterable {
    /// The whole training graph lies on the wafer at once, and samples stream through it.
    case pipelined
    /// The activations lie on the wafer; weights stream in layer by layer, and gradients out.
    case streaming
}
