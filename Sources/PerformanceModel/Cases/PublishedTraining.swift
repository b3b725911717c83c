import Foundation
import Jobs

/// A whole pre-training that others timed: one row of `gpu_time_to_train.csv`.
public struct PublishedTraining: Hashable, Sendable, Codable, Identifiable {
    /// One stretch at one sequence length.
    public struct Stretch: Hashable, Sendable, Codable {
        /// What a rank computes.
        public var workload: Workload
        /// Optimizer steps.
        public var steps: Int
        /// Micro-batches of a step.
        public var accumulation: Int
    }

    /// The row's name.
    public var id: String
    /// The software stack's name.
    public var stack: String
    /// The hardware profile's name.
    public var hardware: String
    /// The matrix products' format.
    public var precision: Precision
    /// Nodes.
    public var nodes: Int
    /// Devices used of each node.
    public var devicesPerNode: Int
    /// The stretches, in order.
    public var stretches: [Stretch]
    /// What was measured, in hours.
    public var hours: Double

    /// The trainings of the file at `path`.
    public static func read(_ path: String) throws(PerformanceModelError) -> [PublishedTraining] {
        let required =
            ["id", "stack", "hardware", "model", "precision", "nodes", "gpus_per_node", "optimizer", "hours"]
            + (1...2).flatMap { ["phase\($0)_sequence", "phase\($0)_steps", "phase\($0)_global_batch"] }
            + ["accumulation_phase1_phase2"]
        let table = try CSVTable(contentsOf: path, required: required)
        try table.requireUnique("id")
        var trainings: [PublishedTraining] = []
        for row in table.rows { trainings.append(try PublishedTraining(row, of: table)) }
        return trainings
    }

    private init(_ row: CSVTable.Row, of table: CSVTable) throws(PerformanceModelError) {
        id = try table.name("id", row)
        stack = try table.name("stack", row)
        hardware = try table.name("hardware", row)
        let layout = try MachineColumns(row, of: table)
        (nodes, devicesPerNode, precision) = (layout.nodes, layout.devicesPerNode, layout.precision)
        hours = try table.number("hours", row)
        let column = "accumulation_phase1_phase2"
        let accumulations = table.text(column, row).split { !$0.isNumber }.compactMap { Int($0) }
        guard accumulations.count == 2, accumulations.allSatisfy(ClusterSetup.accumulationRange.contains) else {
            throw .invalid(
                place: table.place(column, row), found: table.quoted(column, row),
                allowed: "two whole numbers, of phase 1 and 2")
        }
        stretches = []
        for phase in 1...2 {
            let sequence = try table.integer("phase\(phase)_sequence", row, in: 1...65_536)
            let batch = try table.integer("phase\(phase)_global_batch", row)
            let accumulation = accumulations[phase - 1]
            let microBatch = batch / (nodes * devicesPerNode * accumulation)
            guard ClusterSetup.microBatchRange.contains(microBatch) else {
                throw .invalid(
                    place: table.place(column, row), found: "\(accumulation), so micro-batches of \(microBatch)",
                    allowed: "micro-batches of 1 to \(ClusterSetup.microBatchRange.upperBound) sequences")
            }
            // At most 20 masked positions of 128 tokens and 80 of 512, as the recipe has it.
            let workload = Workload(
                model: try PublishedCase.model(row, of: table), vocabularySize: StepModel.assumedVocabularySize,
                sequence: sequence, maskedPositions: sequence * 20 / 128, microBatch: microBatch,
                optimizer: try PublishedCase.optimizer(row, of: table))
            stretches.append(
                Stretch(
                    workload: workload, steps: try table.integer("phase\(phase)_steps", row),
                    accumulation: accumulation))
        }
    }
}
