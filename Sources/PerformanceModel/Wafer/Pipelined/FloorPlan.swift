import Jobs

/// Where every kernel of a job lies on a wafer, how long a sample takes it, and how good the plan is.
public struct FloorPlan: Hashable, Sendable, Codable {
    /// A kernel in its place.
    public struct Rectangle: Hashable, Sendable, Codable {
        /// The index of its kernel in the graph.
        public var kernel: Int
        /// Which copy of the network it belongs to.
        public var replica: Int
        /// The grid's column and row of its first core.
        public var x: Int
        public var y: Int
        public var layout: KernelLayout
        /// Samples that are kept here between forward and backward pass.
        public var inFlight: Int

        /// Its centre, in cores.
        public var centre: (x: Double, y: Double) {
            (Double(x) + Double(layout.columns) / 2, Double(y) + Double(layout.rows) / 2)
        }
    }

    /// The network that is placed.
    public var graph: WaferGraph
    /// Cores across and down that a program can use.
    public var columns: Int
    public var rows: Int
    /// Copies of the network, which share the samples.
    public var replicas: Int
    /// One for each kernel and copy.
    public var rectangles: [Rectangle]
    /// The core's rates and room.
    public var core: WaferCore

    /// Cycles of the slowest kernel for a sample.
    public var slowestCycles: Double { rectangles.map(\.layout.cycles).max() ?? 0 }
    /// Cycles between two samples of a copy: the slowest kernel's, and the time in which first rows go from one end of a
    /// group of kernels to the other. With that headway `PipelineReplay`'s timetable is kept to the cycle.
    public var intervalCycles: Double {
        var (group, most) = (0.0, 0.0)
        for (kernel, rectangle) in zip(graph.kernels, rectangles) {
            if kernel.waitsForWholeSample { group = 0 }
            most = max(most, group)
            group += rectangle.layout.cycles / Double(kernel.rows)
        }
        return slowestCycles + most
    }
    /// The slowest rectangle.
    public var slowest: Rectangle? { rectangles.max { $0.layout.cycles < $1.layout.cycles } }
    /// The interval that no plan can undercut: all multiply-adds at the sustained rate, spread evenly over all cores.
    public var leastIntervalCycles: Double {
        let work = graph.kernels.reduce(0.0) {
            $0 + $1.multiplyAdds / core.multiplyAddsPerCycle + $1.elementwiseOperations / core.operationsPerCycle
        }
        return work * Double(replicas) / Double(columns * rows)
    }
    /// The share of the grid's cores that belong to a kernel.
    public var occupiedShare: Double {
        Double(rectangles.reduce(0) { $0 + $1.layout.area }) / Double(columns * rows)
    }
    /// The share of the grid's time that kernels compute: occupied cores, each busy for its share of the interval.
    public var busyShare: Double {
        rectangles.reduce(0) { $0 + Double($1.layout.area) * $1.layout.cycles }
            / (intervalCycles * Double(columns * rows))
    }
    /// The share of the cores' memory that data takes, over the occupied cores.
    public var memoryShare: Double {
        let bytes = rectangles.reduce(0) { $0 + $1.layout.bytesPerCore * Double($1.layout.area) }
        let cores = rectangles.reduce(0) { $0 + $1.layout.area }
        return bytes / (Double(cores) * core.dataBytes)
    }
    /// Cores that a sample's bytes cross, from centre to centre of the rectangles that they go between, on average.
    public var meanWireCores: Double {
        wire { from, to in abs(from.centre.x - to.centre.x) + abs(from.centre.y - to.centre.y) }
    }
    /// What it would be if every two kernels that talk to each other touched.
    public var leastMeanWireCores: Double {
        wire { from, to in
            let (a, b) = (from.layout, to.layout)
            return Double(min(a.columns + b.columns, a.rows + b.rows)) / 2
        }
    }

    private func wire(_ distance: (Rectangle, Rectangle) -> Double) -> Double {
        let count = graph.kernels.count
        let total = graph.edges.reduce(0) { $0 + $1.bytes } * Double(replicas)
        guard total > 0 else { return 0 }
        let sum = (0..<replicas).reduce(0.0) { sum, replica in
            graph.edges.reduce(sum) {
                $0 + $1.bytes * distance(rectangles[replica * count + $1.from], rectangles[replica * count + $1.to])
            }
        }
        return sum / total
    }

    /// Cycles that the busiest stream between two kernels takes for a sample, one way: its bytes over the links along the
    /// shorter side of the smaller rectangle.
    public var busiestStreamCycles: Double {
        let count = graph.kernels.count
        return (0..<replicas).flatMap { replica in
            graph.edges.map { edge in
                let (a, b) = (
                    rectangles[replica * count + edge.from].layout, rectangles[replica * count + edge.to].layout
                )
                return edge.bytes / (Double(min(a.columns, a.rows, b.columns, b.rows)) * core.linkBytesPerCycle)
            }
        }.max() ?? 0
    }
}
