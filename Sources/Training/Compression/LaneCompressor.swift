import BERT
import Jobs
import Kernels

extension Job {
    /// What every lane's gradient, and every sum of the lane tree, is rounded to; nil where they stay f32.
    public var gradientHalf: Vector.Half? {
        switch compression {
        case nil, .topK?: nil
        case .bf16?: .bfloat16
        case .fp16?: .float16(scale: GradientCompression.float16Scale(lanes: lanes))
        }
    }
}

/// What becomes of lanes' gradients at one step before they are summed, and of their sums.
struct LaneCompressor: Sendable {
    /// What lanes' gradients and their sums are rounded to; nil for f32.
    let half: Vector.Half?
    /// What lanes hold back; nil where they give everything.
    let feedback: FeedbackPass?

    /// Whether gradients stay as they are.
    var isIdle: Bool { half == nil && feedback == nil }

    /// Compresses the elements `stretch` of the gradient of `lane`, which holds whole tensors and is final.
    func compress(_ gradient: UnsafeMutablePointer<Float>, of lane: Int, _ stretch: Range<Int>) {
        if let half { Vector.round(gradient + stretch.lowerBound, count: stretch.count, to: half) }
        feedback?.hold(gradient, of: lane, stretch)
    }
}

/// What lanes hold back at one step.
///
/// A lane is computed by one thread, so nothing here is touched by two at once.
struct FeedbackPass: Sendable {
    /// The elements of every tensor, ascending. No block reaches from one into the next.
    let tensors: [Range<Int>]
    /// The share of each block that a lane gives.
    let density: Double
    /// Whether lanes give everything at this step.
    let flushes: Bool
    /// The first lane of the process, and what each holds back.
    let firstLane: Int
    let residuals: [FloatBuffer]

    fileprivate func hold(_ gradient: UnsafeMutablePointer<Float>, of lane: Int, _ stretch: Range<Int>) {
        let residual = residuals[lane - firstLane].pointer
        for tensor in tensors where stretch.contains(tensor.lowerBound) {
            let (given, held) = (gradient + tensor.lowerBound, residual + tensor.lowerBound)
            if flushes {
                Vector.add(into: given, from: held, count: tensor.count)
                Vector.zero(held, count: tensor.count)
            } else {
                Vector.keepLargest(given, residual: held, count: tensor.count, density: density)
            }
        }
    }
}
