import BERT
import Jobs
import Kernels

/// One process's share of a training run: computes its lanes' gradients, applies the optimizer, measures held-out text.
///
/// A step is `loadStep`, `computeGradients`, (the exchange of gradients, where other processes own lanes,)
/// `applyOptimizer`. Every process holds all weights and optimizer state and computes the same update.
///
/// A trainer is confined to one thread at a time; it runs its crew's threads inside its methods.
public final class Trainer {
    /// What is trained.
    public let plan: TrainingPlan
    /// The lanes that this process computes.
    public private(set) var lanes: Range<Int>
    /// Threads that it computes with.
    public var threads: Int { crew.count }
    /// Optimizer steps made so far: the number of the next step.
    public private(set) var stepsMade = 0

    let source: any StepSource
    let weights: FloatBuffer
    let optimizer: Optimizer
    let sparsity: SparseTraining?
    private let feedback: ErrorFeedback?
    let crew: ThreadCrew
    let workers: [LaneWorker]
    private var schedule: LaneSchedule
    private(set) var slots: [FloatBuffer]
    private(set) var gradientSum: FloatBuffer
    private let sharesGradients: Bool
    private var prefetcher: StepPrefetcher
    private var loaded: (step: StepNumber, batches: StepPrefetcher.Batches)?
    /// Where the time of norms and updates is booked, where measuring was asked for.
    var profile: KernelProfile?

    /// A trainer at step 0, its weights drawn from the job's seed.
    ///
    /// - Parameters:
    ///   - plan: the job as steps.
    ///   - source: its examples.
    ///   - lanes: the lanes that this process computes; all of them unless given.
    ///   - threads: threads to compute with, one lane at a time each.
    ///   - sharesGradients: whether other processes of this host may read the partial sums and the gradient where they are.
    /// - Throws: `TrainingError.plan` where the lanes aren't the job's or the source's vocabulary isn't the plan's.
    public init(
        plan: TrainingPlan, source: any StepSource, lanes: Range<Int>? = nil, threads: Int,
        sharesGradients: Bool = false
    ) throws {
        let lanes = lanes ?? 0..<plan.lanes
        try Self.check(lanes, of: plan)
        guard threads > 0, threads <= 1024 else {
            throw TrainingError.plan(field: "threads", found: "\(threads)", allowed: "1 to 1024")
        }
        guard source.vocabularySize <= plan.configuration.vocabularySize else {
            throw TrainingError.plan(
                field: "vocabulary", found: "\(source.vocabularySize) entries in the dataset",
                allowed: "at most the model's \(plan.configuration.vocabularySize)")
        }
        self.plan = plan
        self.source = source
        self.lanes = lanes
        crew = ThreadCrew(count: threads)
        workers = (0..<threads).map { _ in LaneWorker(plan: plan) }
        schedule = LaneSchedule(tree: plan.tree, lanes: lanes, threads: threads)
        let count = plan.layout.elementCount
        let slots = (0..<schedule.slotCount).map { _ in FloatBuffer(count: count, isShared: sharesGradients) }
        self.slots = slots
        self.sharesGradients = sharesGradients
        gradientSum = Self.gradientSum(plan, lanes, schedule, slots, isShared: sharesGradients)
        weights = FloatBuffer(count: count)
        optimizer = Optimizer(layout: plan.layout, settings: plan.job.optimizer)
        prefetcher = StepPrefetcher(plan: plan, source: source, lanes: lanes)
        sparsity = SparseTraining(plan: plan)
        feedback = ErrorFeedback(plan: plan, lanes: lanes)
        try WeightInitialisation.fill(weights, layout: plan.layout, seed: plan.job.seed, crew: crew)
        try sparsity?.begin(weights: weights.pointer, crew: crew)
        keepWholeState()
    }

    /// Computes other lanes from the next `loadStep` on: after a worker has left or joined. Weights, optimizer state and
    /// the count of steps stay; `cover` and `gradient` change.
    ///
    /// - Throws: `TrainingError.plan` where the lanes aren't the job's.
    public func reassign(lanes: Range<Int>) throws {
        try Self.check(lanes, of: plan)
        guard lanes != self.lanes else { return }
        self.lanes = lanes
        schedule = LaneSchedule(tree: plan.tree, lanes: lanes, threads: threads)
        while slots.count > schedule.slotCount { slots.removeLast() }
        while slots.count < schedule.slotCount {
            slots.append(FloatBuffer(count: plan.layout.elementCount, isShared: sharesGradients))
        }
        gradientSum = Self.gradientSum(plan, lanes, schedule, slots, isShared: sharesGradients)
        prefetcher = StepPrefetcher(plan: plan, source: source, lanes: lanes)
        loaded = nil
        feedback?.begin(lanes)
    }

    private static func check(_ lanes: Range<Int>, of plan: TrainingPlan) throws {
        guard !lanes.isEmpty, lanes.lowerBound >= 0, lanes.upperBound <= plan.lanes else {
            throw TrainingError.plan(field: "lanes", found: "\(lanes)", allowed: "a part of \(0..<plan.lanes)")
        }
    }

    /// Where all lanes are here, the tree's root is the sum over all lanes already.
    private static func gradientSum(
        _ plan: TrainingPlan, _ lanes: Range<Int>, _ schedule: LaneSchedule, _ slots: [FloatBuffer], isShared: Bool
    ) -> FloatBuffer {
        lanes.count == plan.lanes
            ? slots[schedule.cover[0].slot] : FloatBuffer(count: plan.layout.elementCount, isShared: isShared)
    }

    // MARK: Steps

    /// Makes the examples of `step` ready, and begins those of the step after it in the background.
    public func loadStep(_ step: StepNumber) throws {
        loaded = (step, try prefetcher.take(step))
    }

    /// Forward and backward pass over this process's lanes, summed into the cover nodes' partial sums.
    ///
    /// - Parameters:
    ///   - step: the step that was loaded.
    ///   - ready: called on this thread with ascending, adjoining stretches of the flat buffer, as soon as the partial
    ///     sums of all cover nodes are final there; together they are the whole buffer. Backward passes go on meanwhile.
    /// - Returns: the lanes' results, in lane order.
    /// - Throws: `TrainingError.nonFinite` where a loss is no number; what `ready` throws.
    public func computeGradients(
        _ step: StepNumber, ready: (Range<Int>) throws -> Void = { _ in }
    ) throws -> [LaneResult] {
        let stepPlan = try plan.step(step)
        guard let loaded, loaded.step == step else {
            throw TrainingError.outOfTurn(
                step: step, found: self.loaded.map { "examples of step \($0.step)" } ?? "no examples",
                allowed: "loadStep first")
        }
        let total = plan.layout.elementCount
        let progress = GradientProgress(threads: schedule.shares.count, total: total)
        return try withoutActuallyEscaping(ready) { ready in
            // Only thread 0, the caller's, calls it.
            let delivery = Delivery(progress: progress, total: total, ready: ready)
            let run = LaneRun(
                step: stepPlan, batches: loaded.batches, firstLane: lanes.lowerBound, schedule: schedule, slots: slots,
                weights: weights, sparse: sparsity?.pass(of: step.index),
                compressor: LaneCompressor(
                    half: plan.job.gradientHalf, feedback: feedback?.pass(of: step, in: plan.job)), progress: progress)
            try crew.run { [workers] thread in
                guard thread < run.schedule.shares.count else { return }
                do {
                    try run.run(thread: thread, worker: workers[thread]) {
                        if thread == 0 { try delivery.deliverWhatIsReady() }
                    }
                    if thread == 0 { try delivery.deliverTheRest() }
                } catch {
                    progress.fail()
                    throw error
                }
            }
            return run.results
        }
    }

    /// The tree's nodes that this process contributes to the sum.
    public var cover: [LaneTree.Node] { schedule.cover.map(\.node) }

    /// The sum of the gradients of the lanes below a cover node; valid until the next `computeGradients` or, where all
    /// lanes are here, `applyOptimizer`.
    public func partialSum(_ node: LaneTree.Node) -> UnsafeMutableBufferPointer<Float> { memory(of: node).buffer }

    private func memory(of node: LaneTree.Node) -> FloatBuffer {
        guard let slot = schedule.cover.first(where: { $0.node == node })?.slot else {
            preconditionFailure("\(node) is not among the cover nodes \(cover)")
        }
        return slots[slot]
    }

    /// What an exchange of gradients reads and writes: the partial sum of each cover node, and `gradient`. The same memory
    /// until `reassign`.
    public var exchanged: (partialSums: [(node: LaneTree.Node, elements: FloatBuffer)], gradient: FloatBuffer) {
        (cover.map { ($0, memory(of: $0)) }, gradientSum)
    }

    /// Where the sum over all lanes must be before `applyOptimizer`: the root's partial sum where all lanes are here.
    /// The same memory until `reassign`.
    public var gradient: UnsafeMutableBufferPointer<Float> { gradientSum.buffer }

    /// Clips the mean gradient over lanes by its global norm and updates the weights. Uses `gradient` up.
    ///
    /// - Throws: `TrainingError.nonFinite` naming tensor and lane where the gradient is not finite; weights and optimizer
    ///   state are then as before.
    public func applyOptimizer(_ step: StepNumber) throws -> OptimizerResult {
        guard step.index == stepsMade else {
            throw TrainingError.outOfTurn(
                step: step, found: "\(stepsMade) steps made", allowed: "step \(stepsMade), the next")
        }
        let stepPlan = try plan.step(step)
        let lanes = Double(plan.lanes)
        try changeMasks(stepPlan)
        let norm = try gradientNorm(stepPlan)
        var scale = 1 / lanes
        if let clip = plan.job.optimizer.clipNorm {
            // As torch.nn.utils.clip_grad_norm_.
            scale *= min(1, Double(clip) / (norm + 1e-6))
        }
        try measure(.optimizer, floats: optimizer.floatsPerElement * plan.layout.elementCount) {
            try optimizer.update(
                weights: weights.pointer, gradient: gradientSum.pointer, learningRate: stepPlan.learningRate,
                scale: scale, crew: crew)
        }
        stepsMade += 1
        try packSparseWeights(masksChanged: sparsity?.changes(at: step.index) ?? false)
        keepWholeState()
        return OptimizerResult(learningRate: Double(stepPlan.learningRate), gradientNorm: norm)
    }

    /// The global norm of the mean gradient over lanes; throws where it is not finite.
    private func gradientNorm(_ step: StepPlan) throws -> Double {
        let squares = try measure(.gradientNorm, floats: plan.layout.elementCount) {
            try optimizer.squaredNorms(of: gradientSum.pointer, crew: crew)
        }
        let norm = squares.reduce(0, +).squareRoot() / Double(plan.lanes)
        guard norm.isFinite else { throw try nonFinite(step: step, squares: squares) }
        return norm
    }

    /// Makes the step's change of the masks, if the job has any, and sets what they don't keep to zero.
    private func changeMasks(_ step: StepPlan) throws {
        guard let sparsity else { return }
        // Masks must not be chosen by gradients that are no numbers, nor such gradients be masked out of sight.
        if sparsity.changes(at: step.step.index) { _ = try gradientNorm(step) }
        try sparsity.beforeUpdate(
            step.step.index, gradient: gradientSum.pointer,
            state: [weights.pointer, optimizer.firstMoments.pointer, optimizer.secondMoments.pointer], crew: crew)
    }

    /// Brings the packed matrices up to date with the weights.
    private func packSparseWeights(masksChanged: Bool) throws {
        guard let sparsity else { return }
        try measure(.sparsePacking, floats: 3 * sparsity.masks.kept) {
            try sparsity.refresh(
                from: weights.pointer, stepsMade: stepsMade, masksChanged: masksChanged, crew: crew)
        }
    }

    /// Finds where a gradient stopped being finite: the tensor that the backward pass reached first, and the own lane.
    private func nonFinite(step: StepPlan, squares: [Double]) throws -> TrainingError {
        let tensors = plan.layout.tensors
        let summed = zip(tensors, squares).first { !$0.1.isFinite }?.0.name ?? "gradient"
        guard let loaded, loaded.step == step.step else {
            return .nonFinite(step: step.step, lane: nil, tensor: summed)
        }
        let (worker, weights, scratch) = (workers[0], weights, slots[0])
        let half = plan.job.gradientHalf
        func firstNonFinite() throws -> String? {
            let squares = try optimizer.squaredNorms(of: scratch.pointer, crew: crew)
            return zip(tensors, squares).first { !$0.1.isFinite }?.0.name
        }
        for lane in lanes {
            _ = try worker.compute(
                lane: lane, step: step, batches: loaded.batches[lane - lanes.lowerBound],
                parameters: UnsafePointer(weights.pointer), sparse: sparsity?.pass(of: step.step.index),
                gradients: scratch.pointer, gradientReady: nil)
            if let tensor = try firstNonFinite() { return .nonFinite(step: step.step, lane: lane, tensor: tensor) }
            guard let half else { continue }
            Vector.round(scratch.pointer, count: plan.layout.elementCount, to: half)
            if let tensor = try firstNonFinite() {
                return .overflow(step: step.step, lane: lane, tensor: tensor, largest: half.largest)
            }
        }
        if let half { return .overflow(step: step.step, lane: nil, tensor: summed, largest: half.largest) }
        return .nonFinite(step: step.step, lane: nil, tensor: summed)
    }

    // MARK: Held-out text

    /// Measures the held-out text's fixed chunks `chunks` with the present weights, without dropout.
    ///
    /// - Returns: each chunk's sums, in the order of `chunks`.
    public func evaluate(chunks: [Int]) throws -> [EvaluationChunk] {
        let phase = plan.evaluationPhase(stepsMade: stepsMade)
        var results = chunks.map { EvaluationChunk(index: $0, losses: LaneLosses()) }
        try results.withUnsafeMutableBufferPointer { results in
            guard let start = results.baseAddress else { return }
            let shared = Shared(start)
            let (plan, source, stepsMade, crew) = (plan, source, stepsMade, crew)
            let sparse = sparsity?.pass(of: stepsMade)
            try crew.run { [workers, weights] thread in
                for place in stride(from: thread, to: chunks.count, by: crew.count) {
                    let batch = try source.evaluationBatch(
                        sequence: phase.sequence, maskedPositions: phase.maskedPositions,
                        examples: plan.evaluationExamples(chunk: chunks[place], stepsMade: stepsMade))
                    guard batch.sequences > 0 else { continue }
                    shared.pointer[place].losses = try workers[thread].evaluate(
                        batch, parameters: UnsafePointer(weights.pointer), sparse: sparse)
                }
            }
        }
        return results
    }

    /// Measures all held-out chunks.
    public func evaluate() throws -> EvaluationSummary {
        EvaluationSummary(try evaluate(chunks: Array(0..<plan.evaluationChunkCount(stepsMade: stepsMade))))
    }

    // MARK: Weights

    /// Which weights of a sparse job are kept; nil for a dense one. Constant until the next `applyOptimizer` or `restore`.
    public var masks: WeightMasks? { sparsity?.masks }
    /// When they change; nil for a dense job.
    public var sparsitySchedule: SparsitySchedule? { sparsity?.schedule }

    /// SHA-256 of all weights: of each tensor's name, shape and elements, in layout order.
    public func weightsDigest() -> String {
        WeightsDigest.hexadecimal(layout: plan.layout, weights: UnsafePointer(weights.pointer))
    }

    /// The weights, as laid out by `plan.layout`; valid and constant until the next `applyOptimizer` or `restore`.
    public var parameters: UnsafeBufferPointer<Float> { UnsafeBufferPointer(weights.buffer) }

    /// Writes the model as a Hugging Face folder, which must not exist yet, with the lines of `vocab.txt`.
    public func exportModel(to directory: String, vocabulary: [String]) throws {
        try HuggingFaceModel.write(
            layout: plan.layout, weights: UnsafePointer(weights.pointer), vocabulary: vocabulary, to: directory)
    }

    /// Begins with a model's weights instead of drawn ones; at step 0 only.
    ///
    /// - Throws: `TrainingError.plan` where its shape is another (dropout aside).
    public func adopt(_ model: HuggingFaceModel) throws {
        var shape = model.configuration
        shape.hiddenDropout = plan.configuration.hiddenDropout
        shape.attentionDropout = plan.configuration.attentionDropout
        guard stepsMade == 0, shape == plan.configuration else {
            throw TrainingError.plan(
                field: "model", found: "\(model.configuration)", allowed: "\(plan.configuration), before the first step"
            )
        }
        Vector.copy(
            into: weights.pointer, from: UnsafePointer(model.weights.pointer), count: plan.layout.elementCount)
        try sparsity?.begin(weights: weights.pointer, crew: crew)
        keepWholeState()
    }

    /// Everything that the steps to come depend on, beside the job and the number of steps made: the weights and both
    /// moments of the optimizer, as laid out by `plan.layout`, and the masks of a sparse job. Written by whoever receives the
    /// state of a peer; read, and constant until the next `applyOptimizer`, by whoever sends it.
    ///
    /// Where lanes hold parts of their gradients back, that is so only after steps at which they don't (`Job.isWhole`).
    public var state: [UnsafeMutableBufferPointer<Float>] {
        [weights.buffer, optimizer.firstMoments.buffer, optimizer.secondMoments.buffer]
            + (sparsity.map { [$0.masks.memory.buffer] } ?? [])
    }

    /// Goes on as if this process had made `stepsMade` steps itself, after `state` has been overwritten with that of one
    /// that has, or with that of a checkpoint.
    public func resume(stepsMade: Int) throws {
        self.stepsMade = stepsMade
        optimizer.updates = stepsMade
        loaded = nil
        feedback?.begin(lanes)
        try packSparseWeights(masksChanged: true)
        keepWholeState()
    }

    /// Whether this process can go on after `stepsMade` steps by itself.
    public func canGoBack(to stepsMade: Int) -> Bool { stepsMade == self.stepsMade || stepsMade == feedback?.keptSteps }

    /// Goes on after `stepsMade` steps, those that it has made or to which `canGoBack`, with no lane holding anything back.
    public func goBack(to stepsMade: Int) throws {
        feedback?.begin(lanes)
        guard stepsMade != self.stepsMade, stepsMade == feedback?.keptSteps else { return }
        feedback?.restore(state)
        try resume(stepsMade: stepsMade)
    }

    /// Keeps what the process may have to go back to.
    private func keepWholeState() {
        guard let feedback, plan.job.isWhole(after: stepsMade) else { return }
        feedback.keep(state, after: stepsMade)
    }
}
