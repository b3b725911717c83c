import Jobs

/// A training step of one rank as a graph: the operators of one micro-batch in the order in which they run, the gradient
/// buckets that they complete, and the optimizer. Built from shapes alone; a run's trace has the same operators, timed.
///
/// Dependencies: each forward or backward operator follows the one before it; a bucket may be sent once the operator
/// that completes it has run in the last micro-batch; the update follows the last operator and the last bucket.
public struct OperatorGraph: Hashable, Sendable, Codable {
    /// Parameters whose gradients become final together.
    public struct Bucket: Hashable, Sendable, Codable {
        /// `embeddings`, `layer N` or `heads`.
        public var name: String
        /// Elements of the gradient.
        public var elements: Int
        /// The index in `operators` of the operator that completes it.
        public var completedBy: Int
    }

    /// The shape that the graph was built for.
    public var workload: Workload
    /// One micro-batch, forward then backward.
    public var operators: [Operator]
    /// In the order of completion.
    public var buckets: [Bucket]
    /// The optimizer's operators, once a step.
    public var update: [Operator]

    /// Parameters in all.
    public var parameterCount: Int { buckets.reduce(0) { $0 + $1.elements } }

    /// Floating-point operations of the matrix products of one micro-batch, forward and backward.
    public var matrixFlops: Double {
        operators.reduce(0) { sum, next in
            if case .matrixProduct = next.work { sum + next.flops } else { sum }
        }
    }
}

extension OperatorGraph {
    /// The graph of `workload`: its template with every layer written out.
    public init(_ workload: Workload) {
        let template = StepTemplate(workload)
        let layers = workload.model.layers
        var operators = [template.embeddingsForward]
        operators.reserveCapacity(
            layers * (template.layerForward.count + template.layerBackward.count) + template.heads.count + 2)
        func append(_ block: [Operator], layer: Int) {
            for var next in block {
                next.layer = layer
                operators.append(next)
            }
        }
        for layer in 0..<layers { append(template.layerForward, layer: layer) }
        operators.append(contentsOf: template.heads)
        var buckets = [
            Bucket(name: "heads", elements: template.headParameters, completedBy: operators.count - 1)
        ]
        for layer in (0..<layers).reversed() {
            append(template.layerBackward, layer: layer)
            buckets.append(
                Bucket(name: "layer \(layer)", elements: template.layerParameters, completedBy: operators.count - 1))
        }
        operators.append(template.embeddingsBackward)
        buckets.append(
            Bucket(name: "embeddings", elements: template.embeddingParameters, completedBy: operators.count - 1))
        self.workload = workload
        self.operators = operators
        self.buckets = buckets
        self.update = [template.update]
    }
}
