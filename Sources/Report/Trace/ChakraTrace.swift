import Foundation
import PerformanceModel

/// Writes the graph of a run's step as a Chakra execution trace (MLCommons Chakra, et_def.proto, schema 0.0.4), in
/// protobuf's JSON form: 64-bit numbers are text. Attributes have the names and kinds that Chakra's feeder reads
/// (src/feeder/et_feeder_node.cpp).
///
/// Operators carry their floating-point operations and tensor bytes, which a simulator times; a run records the parts of
/// a step, not each operator, so measured times stand with the step's parts in the metadata.
public struct ChakraTrace {
    private let trace: RunTrace

    /// A writer of `trace`.
    public init(_ trace: RunTrace) { self.trace = trace }

    private struct Attribute: Encodable {
        var name: String
        var int64Val: String?
        var uint64Val: String?
        var doubleVal: Double?
        var stringVal: String?
        var boolVal: Bool?

        static func count(_ name: String, _ value: Double) -> Attribute {
            Attribute(name: name, int64Val: String(Int(value.rounded())))
        }
        static func size(_ name: String, _ bytes: Double) -> Attribute {
            Attribute(name: name, uint64Val: String(UInt64(bytes.rounded())))
        }
        static func text(_ name: String, _ value: String) -> Attribute { Attribute(name: name, stringVal: value) }
        static func seconds(_ name: String, _ value: Double) -> Attribute { Attribute(name: name, doubleVal: value) }
    }

    /// An all-reduce among the schema's kinds of collective (enum CollectiveCommType).
    private static let allReduce = 0.0

    private struct Node: Encodable {
        var id: String
        var name: String
        var type: String
        var dataDeps: [String]
        var attr: [Attribute]
    }

    private struct Metadata: Encodable {
        var version = "0.0.4"
        var attr: [Attribute]
    }

    private struct Document: Encodable {
        var globalMetadata: Metadata
        var nodes: [Node]
    }

    /// The document: one step of one rank of the first phase, which every rank repeats.
    ///
    /// - Throws: `PerformanceModelError` for a run without phases.
    public func json() throws -> Data {
        guard let graph = trace.graphs.first else {
            throw PerformanceModelError.unsupported("the run \(trace.run.id) has no phases")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(
            Document(globalMetadata: Metadata(attr: attributes(of: graph)), nodes: graph.nodes.map { node($0, graph) }))
    }

    private func attributes(of graph: StepGraph) -> [Attribute] {
        var attributes: [Attribute] = [
            .text("run", "\(trace.run.id)"), .text("job", trace.run.job.name), .text("clock", "host"),
            .count("ranks", Double(graph.ranks)), .count("micro_batches", Double(graph.accumulation)),
            .text("collective", graph.algorithm), .text("precision", graph.precision.rawValue),
        ]
        for activity in RunTrace.Activity.allCases {
            let durations = trace.slices.filter { $0.activity == activity }.map(\.duration).sorted()
            guard durations.last ?? 0 > 0 else { continue }
            let name = activity.rawValue.replacingOccurrences(of: " ", with: "_")
            attributes.append(.seconds("median_\(name)_host_seconds", durations[durations.count / 2]))
        }
        return attributes
    }

    private func node(_ node: StepGraph.Node, _ graph: StepGraph) -> Node {
        var attributes: [Attribute] = [
            .size("tensor_size", node.bytes), .text("phase", node.part.rawValue), .count("layer", Double(node.layer)),
            Attribute(name: "is_cpu_op", boolVal: false),
        ]
        let type: String
        switch node.kind {
        case .compute, .update:
            type = "COMP_NODE"
            attributes.append(.count("num_ops", node.flops))
            if let shape = node.shape {
                attributes.append(.text("shape_m_n_k_batch", shape.map(String.init).joined(separator: "x")))
            }
        case .exchange:
            type = "COMM_COLL_NODE"
            attributes += [
                .count("comm_type", Self.allReduce), .count("comm_size", node.bytes),
                .text("involved_ranks", (0..<graph.ranks).map(String.init).joined(separator: ",")),
            ]
        }
        return Node(
            id: "\(node.id)", name: node.name, type: type, dataDeps: node.dependencies.map { "\($0)" },
            attr: attributes)
    }
}
