/// How far published values contradict each other: the least sum of absolute relative errors that a prediction can have of
/// them, whatever the model.
enum LeastError {
    /// Of values that must be predicted alike, because what is known of them is the same.
    static func common(_ published: [Double]) -> Double { errors(published, middle(published)).reduce(0, +) }

    /// Of values whose predictions must not fall from each to the next. Adjoining blocks that violate the order are joined
    /// (pool adjacent violators; Barlow et al. 1972), each predicted by its best common value.
    static func rising(_ published: [Double]) -> [Double] {
        var blocks: [[Double]] = []
        for value in published {
            blocks.append([value])
            while let last = blocks.last, let before = blocks.dropLast().last, middle(before) > middle(last) {
                blocks.removeLast(2)
                blocks.append(before + last)
            }
        }
        return blocks.flatMap { errors($0, middle($0)) }
    }

    private static func errors(_ published: [Double], _ predicted: Double) -> [Double] {
        published.map { abs(predicted / $0 - 1) }
    }

    /// The prediction with the least sum of absolute relative errors: the median weighted by each value's inverse.
    private static func middle(_ published: [Double]) -> Double {
        let sorted = published.sorted()
        let half = sorted.reduce(0) { $0 + 1 / $1 } / 2
        var sum = 0.0
        for value in sorted {
            sum += 1 / value
            if sum >= half { return value }
        }
        return sorted.last ?? 0
    }
}

extension Validation {
    /// How far rows of one configuration, measured again, are apart.
    public struct Replicates: Hashable, Sendable, Codable {
        /// Rows that have others of the same configuration.
        public var rows: Int
        /// Configurations that were measured more than once.
        public var configurations: Int
        /// The mean absolute error over these rows that the best single value for each configuration has, in per cent.
        public var leastMeanAbsoluteErrorPercent: Double

        enum CodingKeys: String, CodingKey {
            case rows, configurations
            case leastMeanAbsoluteErrorPercent = "least_mean_absolute_error_percent"
        }

        /// The replicates among `cases`; nil where there are none.
        init?(_ cases: [PublishedCase]) {
            let groups = Dictionary(grouping: cases) { next in
                var configuration = next
                (configuration.id, configuration.source, configuration.sequencesPerSecond) = ("", "", 0)
                return configuration
            }.values.filter { $0.count > 1 }
            guard !groups.isEmpty else { return nil }
            configurations = groups.count
            rows = groups.reduce(0) { $0 + $1.count }
            // Summed in order of size, so that the figure does not depend on the dictionary's.
            let sums = groups.map { LeastError.common($0.map(\.sequencesPerSecond)) }.sorted()
            leastMeanAbsoluteErrorPercent = 100 * sums.reduce(0, +) / Double(rows)
        }
    }
}

extension TrainingValidation {
    /// The least mean absolute error, in per cent, that a model can have of `trainings` in which more devices never take
    /// fewer device-hours for the same steps: exchange and update cost time, and nothing else changes with their number.
    static func leastError(_ trainings: [PublishedTraining]) -> Double {
        let groups = Dictionary(grouping: trainings) { next in
            var recipe = next
            (recipe.id, recipe.hours, recipe.nodes, recipe.devicesPerNode) = ("", 0, 0, 0)
            for index in recipe.stretches.indices {
                let batch =
                    next.stretches[index].workload.microBatch * next.stretches[index].accumulation
                    * next.nodes * next.devicesPerNode
                // The global batch instead of what each device accumulates.
                recipe.stretches[index].accumulation = batch
            }
            return recipe
        }
        let errors = groups.values.flatMap { group in
            LeastError.rising(
                group.sorted { $0.devices < $1.devices }.map { $0.hours * Double($0.devices) })
        }
        return 100 * errors.sorted().reduce(0, +) / Double(max(1, trainings.count))
    }
}

extension PublishedTraining {
    /// Devices in all.
    var devices: Int { nodes * devicesPerNode }
}
