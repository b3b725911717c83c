import Jobs

/// A whole optimizer step of one rank as a graph of operators and messages: what a run's trace and a prediction share.
///
/// Made from a job alone; a run of that job gives the same graph (a test holds them equal), with its measured times
/// beside it. Nodes are numbered in an order in which they can run.
public struct StepGraph: Hashable, Sendable, Codable {
    /// A node.
    public struct Node: Hashable, Sendable, Codable, Identifiable {
        /// What a node does.
        public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
            /// An operator of the forward or backward pass.
            case compute
            /// The exchange of a gradient bucket with all other ranks.
            case exchange
            /// The optimizer.
            case update
        }

        /// The node's number.
        public var id: Int
        /// Its name: the operator's with its layer, or `bucket N`.
        public var name: String
        /// What it does.
        public var kind: Kind
        /// Forward, backward or update.
        public var part: Operator.Part
        /// The encoder layer; -1 for the embeddings, the number of layers for the heads and the optimizer.
        public var layer: Int
        /// Rows, columns, depth and count of a batch of matrix products; nil for other work.
        public var shape: [Int]?
        /// Floating-point operations.
        public var flops: Double
        /// Bytes that are read and written at least, or the bucket's size.
        public var bytes: Double
        /// The nodes that must have run before.
        public var dependencies: [Int]
    }

    /// What a rank computes between two updates.
    public var workload: Workload
    /// The number format of the operators.
    public var precision: Precision
    /// Ranks that exchange.
    public var ranks: Int
    /// How they exchange.
    public var algorithm: String
    /// Micro-batches of the step; the nodes are those of the last, whose gradients are exchanged.
    public var accumulation: Int
    /// The nodes.
    public var nodes: [Node]

    /// The step of `workload` on one of `ranks`, its gradient sent in buckets of `bucketBytes`.
    ///
    /// - Parameter algorithm: how buckets are exchanged, as the run names it.
    public init(
        _ workload: Workload, precision: Precision, ranks: Int, accumulation: Int, bucketBytes: Int,
        algorithm: String = "direct"
    ) {
        let graph = OperatorGraph(workload)
        self.workload = workload
        self.precision = precision
        self.ranks = ranks
        self.algorithm = algorithm
        self.accumulation = accumulation
        nodes = []
        nodes.reserveCapacity(graph.operators.count + 64)
        for (index, next) in graph.operators.enumerated() {
            append(next, .compute, after: index > 0 ? [index - 1] : [])
        }
        let exchanges =
            ranks > 1 ? Self.buckets(of: graph, bytes: bucketBytes, elementBytes: precision.bytesPerElement) : []
        let first = nodes.count
        for (index, bucket) in exchanges.enumerated() {
            // One bucket after the other, each once the operator that completes it has run.
            nodes.append(
                Node(
                    id: nodes.count, name: "bucket \(index)", kind: .exchange, part: .backward,
                    layer: graph.operators[bucket.completedBy].layer, shape: nil, flops: 0, bytes: Double(bucket.bytes),
                    dependencies: index > 0 ? [bucket.completedBy, first + index - 1] : [bucket.completedBy]))
        }
        for next in graph.update { append(next, .update, after: [nodes.count - 1]) }
    }

    /// The step of phase `index` of `job` with `ranks` workers, without running it.
    ///
    /// - Throws: `unsupported` where there is no such phase.
    public init(
        job: Job, phase index: Int, vocabularySize: Int, ranks: Int, bucketBytes: Int, precision: Precision = .fp32
    ) throws(PerformanceModelError) {
        guard job.phases.indices.contains(index) else {
            throw .unsupported("the job '\(job.name)' has \(job.phases.count) phases; there is no phase \(index)")
        }
        let phase = job.phases[index]
        let share = (phase.globalBatch + ranks - 1) / max(1, ranks)
        let microBatch = min(phase.microBatch, phase.globalBatch / job.lanes, share)
        self.init(
            Workload(
                model: job.model, vocabularySize: vocabularySize, sequence: phase.sequence,
                maskedPositions: phase.maskedPositions, microBatch: max(1, microBatch),
                nextSentence: job.examples.nextSentence, optimizer: job.optimizer.kind),
            precision: precision, ranks: ranks, accumulation: (share + max(1, microBatch) - 1) / max(1, microBatch),
            bucketBytes: bucketBytes)
    }

    private mutating func append(_ next: Operator, _ kind: Node.Kind, after dependencies: [Int]) {
        var shape: [Int]?
        if case .matrixProduct(let m, let n, let k, let batch) = next.work { shape = [m, n, k, batch] }
        let place = (0..<workload.model.layers).contains(next.layer) && kind == .compute ? "layer \(next.layer) " : ""
        nodes.append(
            Node(
                id: nodes.count, name: place + next.name, kind: kind, part: next.part, layer: next.layer, shape: shape,
                flops: next.flops, bytes: next.bytes(precision), dependencies: dependencies))
    }

    /// The flat gradient, in the order in which it is completed, cut into buckets.
    private static func buckets(
        of graph: OperatorGraph, bytes: Int, elementBytes: Int
    ) -> [(completedBy: Int, bytes: Int)] {
        let total = graph.parameterCount * elementBytes
        let size = max(1, min(bytes, total))
        var (parts, filled, next) = (graph.buckets[...], 0, 0)
        return stride(from: 0, to: total, by: size).map { start in
            let end = min(start + size, total)
            while filled < end, let part = parts.first {
                filled += part.elements * elementBytes
                next = part.completedBy
                parts.removeFirst()
            }
            return (next, end - start)
        }
    }
}
