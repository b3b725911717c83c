import BERT
import Jobs
import Kernels

/// Moments of every parameter, and the update of weights from gradients.
///
/// AdamW is `torch.optim.AdamW`: decoupled decay, bias correction, epsilon outside the root.
///
/// LAMB is You et al. 2020, algorithm 2, as NVIDIA's `FusedLAMB` of apex runs BERT (`adam_w_mode`, `bias_correction`,
/// `grad_averaging`, without `use_nvlamb`): the update is m^ / (sqrt(v^) + epsilon) + decay x weight; its step is scaled
/// by |weight| / |update| for tensors that decay, and taken as it is for biases and layer norms; where either norm is 0
/// the ratio is 1. Gradients are clipped by their global norm before, as with AdamW.
final class Optimizer {
    let layout: ParameterLayout
    let settings: OptimizerSettings
    let firstMoments: FloatBuffer
    let secondMoments: FloatBuffer
    /// Updates made so far.
    var updates = 0
    private let blocks: [Block]
    private var blockSums: [SIMD2<Double>]

    /// A part of one tensor that norms are summed over.
    private struct Block {
        let tensor: Int
        let range: Range<Int>
    }

    init(layout: ParameterLayout, settings: OptimizerSettings) {
        self.layout = layout
        self.settings = settings
        firstMoments = FloatBuffer(count: layout.elementCount)
        secondMoments = FloatBuffer(count: layout.elementCount)
        blocks = layout.tensors.enumerated().flatMap { index, tensor in
            stride(from: tensor.range.lowerBound, to: tensor.range.upperBound, by: OptimizerKernels.blockSize).map {
                Block(tensor: index, range: $0..<min($0 + OptimizerKernels.blockSize, tensor.range.upperBound))
            }
        }
        blockSums = Array(repeating: .zero, count: blocks.count)
    }

    /// Floats that an update reads and writes for each parameter.
    var floatsPerElement: Int {
        switch settings.kind {
        // Weight, both moments and gradient are read, all but the gradient written.
        case .adamw: 7
        // Both moments and the update are written; then weight and update are read, the weight written.
        case .lamb: 10
        }
    }

    /// The sum of squares of `gradient` over each tensor: blocks in order within it, the same to the bit whoever computes.
    func squaredNorms(of gradient: UnsafeMutablePointer<Float>, crew: ThreadCrew) throws -> [Double] {
        let memory = Shared(gradient)
        try forEachBlock(crew) { block in
            SIMD2(OptimizerKernels.sumOfSquares(memory.pointer + block.range.lowerBound, count: block.range.count), 0)
        }
        return tensorSums().map(\.x)
    }

    /// One update of `weights`. `gradient` is used up: LAMB writes its update over it.
    ///
    /// - Parameter scale: multiplies every gradient first: the mean over lanes and the clipping in one.
    func update(
        weights: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>, learningRate: Float, scale: Double,
        crew: ThreadCrew
    ) throws {
        updates += 1
        // The decimal that the job says, not the binary32 next to it: 1 - 0.999 in binary32 is off by one in 10^5.
        func decimal(_ value: Float) -> Double { Double("\(value)") ?? Double(value) }
        func scalars(decays: Bool) -> OptimizerScalars {
            OptimizerScalars(
                learningRate: decimal(learningRate), beta1: decimal(settings.beta1), beta2: decimal(settings.beta2),
                epsilon: decimal(settings.epsilon), weightDecay: decays ? decimal(settings.weightDecay) : 0,
                step: updates, gradientScale: scale)
        }
        let decaying = scalars(decays: true)
        let spared = scalars(decays: false)
        let tensors = layout.tensors
        let memory = (
            weights: Shared(weights), gradient: Shared(gradient), first: Shared(firstMoments.pointer),
            second: Shared(secondMoments.pointer)
        )
        switch settings.kind {
        case .adamw:
            try forEachBlock(crew) { block in
                let start = block.range.lowerBound
                OptimizerKernels.adamW(
                    weights: memory.weights.pointer + start, firstMoments: memory.first.pointer + start,
                    secondMoments: memory.second.pointer + start, gradients: memory.gradient.pointer + start,
                    count: block.range.count, scalars: tensors[block.tensor].decays ? decaying : spared)
                return .zero
            }
        case .lamb:
            try forEachBlock(crew) { block in
                let start = block.range.lowerBound
                let norms = OptimizerKernels.lambUpdate(
                    weights: memory.weights.pointer + start, firstMoments: memory.first.pointer + start,
                    secondMoments: memory.second.pointer + start, gradients: memory.gradient.pointer + start,
                    count: block.range.count, scalars: tensors[block.tensor].decays ? decaying : spared)
                return SIMD2(norms.weights, norms.update)
            }
            let rates = zip(tensors, tensorSums()).map { tensor, sums in
                let hasRatio = tensor.decays && settings.weightDecay != 0 && sums.x > 0 && sums.y > 0
                return Float(decimal(learningRate) * (hasRatio ? (sums.x / sums.y).squareRoot() : 1))
            }
            try forEachBlock(crew) { block in
                let start = block.range.lowerBound
                OptimizerKernels.lambApply(
                    weights: memory.weights.pointer + start, update: memory.gradient.pointer + start,
                    count: block.range.count, rate: rates[block.tensor])
                return .zero
            }
        }
    }

    /// Runs `body` on every block, contiguous blocks of about equal size on each thread, and keeps what it returns.
    private func forEachBlock(_ crew: ThreadCrew, _ body: @Sendable (Block) -> SIMD2<Double>) throws {
        let blocks = blocks
        let perThread = (layout.elementCount + crew.count - 1) / crew.count
        try blockSums.withUnsafeMutableBufferPointer { sums in
            guard let start = sums.baseAddress else { return }
            let results = Shared(start)
            try crew.run { thread in
                // A block belongs to the thread in whose part of the flat buffer it begins.
                let part = thread * perThread..<(thread + 1) * perThread
                var index = Self.firstBlock(in: blocks, from: part.lowerBound)
                while index < blocks.count, blocks[index].range.lowerBound < part.upperBound {
                    results.pointer[index] = body(blocks[index])
                    index += 1
                }
            }
        }
    }

    private static func firstBlock(in blocks: [Block], from element: Int) -> Int {
        var low = 0
        var high = blocks.count
        while low < high {
            let middle = (low + high) / 2
            if blocks[middle].range.lowerBound < element { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func tensorSums() -> [SIMD2<Double>] {
        var sums = Array(repeating: SIMD2<Double>.zero, count: layout.tensors.count)
        for (block, sum) in zip(blocks, blockSums) { sums[block.tensor] += sum }
        return sums
    }
}

/// A pointer that threads of a crew share.
///
/// `@unchecked Sendable`: made only where each thread touches elements of its own, and the crew's `run` ends before the
/// memory does.
struct Shared<Element>: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Element>

    init(_ pointer: UnsafeMutablePointer<Element>) { self.pointer = pointer }
}
