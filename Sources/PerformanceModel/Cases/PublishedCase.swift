import Jobs

/// A throughput that others measured: one row of `gpu_calibration.csv`.
public struct PublishedCase: Hashable, Sendable, Codable, Identifiable {
    /// The row's name.
    public var id: String
    /// The software stack's name.
    public var stack: String
    /// The hardware profile's name.
    public var hardware: String
    /// What a rank computes.
    public var workload: Workload
    /// The matrix products' format.
    public var precision: Precision
    /// Nodes, and devices of each.
    public var nodes: Int
    /// Devices used of each node.
    public var devicesPerNode: Int
    /// Micro-batches of a step.
    public var accumulation: Int
    /// What was measured.
    public var sequencesPerSecond: Double
    /// Who measured it.
    public var source: String

    /// Devices in all.
    public var ranks: Int { nodes * devicesPerNode }

    /// The columns that a file of cases must have.
    public static let columns = [
        "id", "stack", "hardware", "model", "sequence_length", "masked_per_sequence", "precision", "nodes",
        "gpus_per_node", "micro_batch", "accumulation", "optimizer", "sequences_per_second",
    ]

    /// The cases of the file at `path`.
    public static func read(_ path: String) throws(PerformanceModelError) -> [PublishedCase] {
        let table = try CSVTable(contentsOf: path, required: columns)
        try table.requireUnique("id")
        var cases: [PublishedCase] = []
        cases.reserveCapacity(table.rows.count)
        for row in table.rows { cases.append(try PublishedCase(row, of: table)) }
        return cases
    }

    private init(_ row: CSVTable.Row, of table: CSVTable) throws(PerformanceModelError) {
        id = try table.name("id", row)
        stack = try table.name("stack", row)
        hardware = try table.name("hardware", row)
        source = table.text("source", row)
        let layout = try MachineColumns(row, of: table)
        (nodes, devicesPerNode, precision) = (layout.nodes, layout.devicesPerNode, layout.precision)
        accumulation = try table.integer("accumulation", row, in: ClusterSetup.accumulationRange)
        sequencesPerSecond = try table.number("sequences_per_second", row)
        let sequence = try table.integer("sequence_length", row, in: 1...65_536)
        workload = Workload(
            model: try Self.model(row, of: table), vocabularySize: StepModel.assumedVocabularySize,
            sequence: sequence,
            maskedPositions: try table.integer("masked_per_sequence", row, in: 1...sequence),
            microBatch: try table.integer("micro_batch", row, in: ClusterSetup.microBatchRange),
            optimizer: try Self.optimizer(row, of: table))
    }

    static func model(_ row: CSVTable.Row, of table: CSVTable) throws(PerformanceModelError) -> ModelShape {
        let name = table.text("model", row)
        let short = name.hasPrefix("bert-") ? String(name.dropFirst(5)) : name
        guard let model = ModelShape.named(short) else {
            throw .invalid(
                place: table.place("model", row), found: table.quoted("model", row),
                allowed: ModelShape.named.map { "bert-\($0.name)" }.joined(separator: ", "))
        }
        return model
    }

    static func optimizer(_ row: CSVTable.Row, of table: CSVTable) throws(PerformanceModelError)
        -> OptimizerSettings.Kind
    {
        switch table.text("optimizer", row) {
        case "lamb": return .lamb
        case "adam", "adamw": return .adamw
        default:
            throw .invalid(
                place: table.place("optimizer", row), found: table.quoted("optimizer", row),
                allowed: "lamb, adam, adamw")
        }
    }

    /// The configuration that was measured.
    public func setup() throws(PerformanceModelError) -> ClusterSetup {
        try ClusterSetup(
            profile: HardwareCatalogue.profile(hardware), workload: workload, precision: precision, nodes: nodes,
            devicesPerNode: devicesPerNode, accumulation: accumulation)
    }
}
