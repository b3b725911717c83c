/// How gradients are made smaller before they are exchanged.
///
/// Compression belongs to the job, because the bits depend on it: the wafer, which exchanges nothing, rounds and holds back
/// what a cluster does, so that a comparison still compares time alone. What is rounded or held back where is a function of
/// the job and its lane tree, never of who computes or sends what:
///
/// - `bf16`, `fp16`: every lane's gradient, and every sum of the lane tree, is rounded to nearest, ties to even.
/// - `top_k`: what a lane holds back is added to its gradient; of every block of each tensor the largest numbers go into the
///   sum as f32, the others are held back by that lane. Every `flush_every` steps, and at the last, all goes.
///
/// Numbers then travel in fewer bytes without further loss.
public enum GradientCompression: Hashable, Sendable, Codable {
    /// To bfloat16, which has the exponents of f32.
    case bf16
    /// To IEEE binary16 times a power of two that the number of lanes fixes: `float16Scale`.
    case fp16
    /// The largest of each block, with error feedback.
    case topK(TopKSettings)

    /// The names in a job file.
    public static let names = ["bf16", "fp16", "top_k"]

    /// The name in a job file.
    public var name: String {
        switch self {
        case .bf16: "bf16"
        case .fp16: "fp16"
        case .topK: "top_k"
        }
    }

    /// The compression called `name`, as usual; nil where there is none.
    public init?(name: String) {
        switch name {
        case "bf16": self = .bf16
        case "fp16": self = .fp16
        case "top_k": self = .topK(TopKSettings())
        default: return nil
        }
    }

    /// What gradients of a job of `lanes` lanes are multiplied by for fp16, whose smallest number, 6e-8, is larger than many
    /// of them: 2^10, less a factor of two for each doubling of lanes, so that the mean over all lanes may be 63 in any
    /// element. Beyond that a number becomes infinite and ends the run with the tensor's name.
    public static func float16Scale(lanes: Int) -> Float {
        var scale: Float = 1_024
        var covered = 1
        while covered < lanes {
            covered *= 2
            scale /= 2
        }
        return scale
    }
}

/// How much of each lane's gradient is exchanged at once, and when all of it is.
public struct TopKSettings: Hashable, Sendable, Codable {
    /// The share of the numbers of each block that a lane gives to the sum.
    public var density: Double
    /// Every so many steps a lane gives everything that it has held back; then weights and moments say all that the steps
    /// to come depend on.
    public var flushEvery: Int

    /// Settings of the given parts.
    public init(density: Double = 0.05, flushEvery: Int = 64) {
        self.density = density
        self.flushEvery = flushEvery
    }
}

extension Job {
    /// Steps between two points at which no lane holds anything back.
    private var flushEvery: Int {
        if case .topK(let settings) = compression { max(1, settings.flushEvery) } else { 1 }
    }

    /// The last number of steps, at most `stepsMade`, after which weights and moments say all that the steps to come depend
    /// on. A run can go on from there, whoever computed what before: where something is lost, it goes back to that.
    public func wholePoint(before stepsMade: Int) -> Int {
        stepsMade >= totalSteps ? stepsMade : stepsMade - stepsMade % flushEvery
    }

    /// Whether weights and moments say everything after `stepsMade` steps.
    public func isWhole(after stepsMade: Int) -> Bool { wholePoint(before: stepsMade) == stepsMade }

    /// Whether a process that has made `stepsMade` steps has kept what it needs to go on after `point`.
    public func canGoBack(from stepsMade: Int, to point: Int) -> Bool {
        point == stepsMade || point < stepsMade && wholePoint(before: stepsMade) == point
    }

    /// Whether a checkpoint is due after `stepsMade` steps; one at the end always is. Where it would be due at steps of which
    /// lanes hold something back, it is due as soon as they don't.
    public func checkpoints(stepsMade: Int) -> Bool {
        if stepsMade == totalSteps { return true }
        guard let every = checkpoints.everySteps, every > 0, stepsMade > 0, isWhole(after: stepsMade) else {
            return false
        }
        return stepsMade / every > (stepsMade - flushEvery) / every
    }
}
