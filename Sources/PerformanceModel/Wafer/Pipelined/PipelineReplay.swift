/// Samples on their way through a plan's kernels, forward and back, event by event.
///
/// Every kernel does one thing at a time: a forward or a backward pass of one sample. A kernel begins as soon as its
/// predecessor has sent the first row, unless it needs the whole sample: attention looks at all tokens, and so do the
/// gradients of its keys and values. It never ends before its predecessor has.
///
/// Samples enter an interval apart and keep to a timetable, as in a systolic array. The kernels from one wait for a whole
/// sample to the next are a group and work side by side. Of the interval T a group has F = T / 3 for a forward pass and
/// G = 2 T / 3 for a backward pass, the way of first rows through the group included. Forward, a group is F behind its
/// predecessor; backward, it is G behind its successor; the last turns round after F. So between a sample's forward and
/// backward pass a group has F + k (F + G) = F + k T: the samples on their way back come just when those on their way
/// forward have gone, nobody waits, and a sample is on its way for as many intervals as there are groups. First come,
/// first served would take nearly twice as long, and twice the memory for what waits.
public struct PipelineReplay: Hashable, Sendable {
    /// One pass of one sample through one kernel.
    public struct Pass: Hashable, Sendable, Codable {
        public var kernel: Int
        public var sample: Int
        public var isBackward: Bool
        /// Cycles since the first sample entered.
        public var start: Double
        public var end: Double
    }

    /// A kernel as the replay sees it. Stages follow the sample's path: forward from first to last, backward in reverse.
    struct Stage: Hashable, Sendable {
        var forward: Double
        var backward: Double
        /// The share of a pass after which its first row is there.
        var lead: Double
        var waitsForWholeSample: Bool
        /// Its group, from 0 at the embeddings.
        var group: Int
    }

    /// All passes, in the order in which they began.
    public private(set) var passes: [Pass] = []
    /// Cycles until the last sample had come back.
    public private(set) var cycles = 0.0
    /// The most samples that waited in each kernel at once.
    public private(set) var mostInFlight: [Int]

    /// The replay of `samples` samples through one copy of `plan`'s network.
    public init(_ plan: FloorPlan, samples: Int) {
        let stages = Self.stages(of: plan)
        var simulation = Simulation(stages, samples: samples, interval: plan.intervalCycles)
        simulation.run()
        passes = simulation.passes
        cycles = simulation.passes.map(\.end).max() ?? 0
        mostInFlight = simulation.mostInFlight
    }

    /// The kernels of a copy on a sample's path. The vocabulary is at its start as embedding; its work as decoder counts
    /// there too, since one rectangle does both.
    private static func stages(of plan: FloorPlan) -> [Stage] {
        var group = 0
        return plan.graph.kernels.indices.map { index in
            let (kernel, cycles) = (plan.graph.kernels[index], plan.rectangles[index].layout.cycles)
            if kernel.waitsForWholeSample { group += 1 }
            return Stage(
                forward: cycles * WaferKernel.forwardShare, backward: cycles * (1 - WaferKernel.forwardShare),
                lead: 1 / Double(kernel.rows), waitsForWholeSample: kernel.waitsForWholeSample, group: group)
        }
    }
}

/// The state of a replay: who is free when, and which passes may begin when.
private struct Simulation {
    private struct Ready: Hashable {
        var time: Double
        var sample: Int
        /// The predecessor's end; a pass ends no earlier.
        var predecessorEnd: Double
    }

    let stages: [PipelineReplay.Stage]
    let samples: Int
    let interval: Double
    var passes: [PipelineReplay.Pass] = []
    var mostInFlight: [Int]
    private var inFlight: [Int]
    private var free: [Double]
    private var forward: [[Ready]]
    private var backward: [[Ready]]
    private var events = EventQueue()

    init(_ stages: [PipelineReplay.Stage], samples: Int, interval: Double) {
        self.stages = stages
        self.samples = samples
        self.interval = interval
        mostInFlight = Array(repeating: 0, count: stages.count)
        inFlight = mostInFlight
        free = Array(repeating: 0, count: stages.count)
        forward = Array(repeating: [], count: stages.count)
        backward = forward
    }

    mutating func run() {
        for sample in 0..<samples {
            let time = timetable(sample, 0, isBackward: false)
            forward[0].append(Ready(time: time, sample: sample, predecessorEnd: time))
            events.add(time, 0)
        }
        while let (time, stage) = events.next() { serve(stage, at: time) }
    }

    /// The earliest start of a pass by the timetable.
    private func timetable(_ sample: Int, _ stage: Int, isBackward: Bool) -> Double {
        let (group, last) = (Double(stages[stage].group), Double(stages.last?.group ?? 0))
        let (forward, backward) = (WaferKernel.forwardShare, 1 - WaferKernel.forwardShare)
        let turns = isBackward ? (last + 1) * forward + (last - group) * backward : group * forward
        return (Double(sample) + turns) * interval
    }

    /// Begins a pass in `stage`, if it is free and one is ready.
    private mutating func serve(_ stage: Int, at time: Double) {
        guard free[stage] <= time else { return }
        let isBackward = backward[stage].first.map { $0.time <= time } ?? false
        guard isBackward || forward[stage].first.map({ $0.time <= time }) ?? false else { return }
        let ready = isBackward ? backward[stage].removeFirst() : forward[stage].removeFirst()
        let work = isBackward ? stages[stage].backward : stages[stage].forward
        let end = max(time + work, ready.predecessorEnd + work * stages[stage].lead)
        free[stage] = end
        events.add(end, stage)
        passes.append(
            PipelineReplay.Pass(kernel: stage, sample: ready.sample, isBackward: isBackward, start: time, end: end))
        inFlight[stage] += isBackward ? -1 : 1
        mostInFlight[stage] = max(mostInFlight[stage], inFlight[stage])
        follow(stage, ready.sample, isBackward, start: time, end: end, lead: work * stages[stage].lead)
    }

    /// Makes the next pass of the sample ready.
    private mutating func follow(
        _ stage: Int, _ sample: Int, _ isBackward: Bool, start: Double, end: Double, lead: Double
    ) {
        if isBackward, stage == 0 { return }
        let turns = !isBackward && stage == stages.count - 1
        let next = turns ? stage : stage + (isBackward ? -1 : 1)
        // The loss needs the whole forward pass, and attention's keys and values the gradients of all queries.
        let waits = turns || stages[isBackward ? stage : next].waitsForWholeSample
        let time = max(waits ? end : start + lead, timetable(sample, next, isBackward: isBackward || turns))
        let ready = Ready(time: time, sample: sample, predecessorEnd: end)
        if isBackward || turns { backward[next].append(ready) } else { forward[next].append(ready) }
        events.add(time, next)
    }
}

/// Moments at which a stage may have something to do, earliest first: a binary heap.
private struct EventQueue {
    private var heap: [(time: Double, stage: Int)] = []

    mutating func add(_ time: Double, _ stage: Int) {
        heap.append((time, stage))
        var child = heap.count - 1
        while child > 0, before(child, (child - 1) / 2) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func next() -> (time: Double, stage: Int)? {
        guard let first = heap.first else { return nil }
        heap[0] = heap[heap.count - 1]
        heap.removeLast()
        var parent = 0
        while true {
            let least = [2 * parent + 1, 2 * parent + 2].filter { $0 < heap.count }.min { before($0, $1) }
            guard let least, before(least, parent) else { break }
            heap.swapAt(least, parent)
            parent = least
        }
        return first
    }

    // Equal times go by stage, so that a replay never depends on the heap's history.
    private func before(_ a: Int, _ b: Int) -> Bool { (heap[a].time, heap[a].stage) < (heap[b].time, heap[b].stage) }
}
