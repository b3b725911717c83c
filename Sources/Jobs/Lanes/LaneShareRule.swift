/// By what the lanes of a job are shared among the workers of a cluster. The bits are the same either way.
public enum LaneShareRule: String, Hashable, Sendable, Codable, CaseIterable {
    /// In proportion to the workers' speed, once that differs so much that a step takes notably less time for it.
    case speed
    /// Equally, however slow a worker is: what data-parallel trainers do, and what a comparison with them measures.
    case even
}
