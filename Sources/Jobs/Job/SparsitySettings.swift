/// Which weights of the encoder's dense layers are held at exactly zero, and how they are chosen.
public struct SparsitySettings: Hashable, Sendable, Codable {
    /// A weight matrix of every encoder layer.
    public enum Matrix: String, Hashable, Sendable, Codable, CaseIterable {
        /// Query, key and value: three matrices `[hidden, hidden]`, each of the density by itself.
        case queryKeyValue = "query_key_value"
        /// Attention's output `[hidden, hidden]`.
        case attentionOutput = "attention_output"
        /// The feed-forward layer's first matrix `[intermediate, hidden]`.
        case intermediate
        /// The feed-forward layer's second matrix `[hidden, intermediate]`.
        case output
    }

    /// The share of each matrix's weights that is kept, in (0, 1).
    public var density: Double
    /// How the kept weights lie.
    public var pattern: SparsityPattern
    /// How they are chosen.
    public var method: SparsityMethod
    /// The matrices concerned, in the order of `Matrix.allCases`.
    public var matrices: [Matrix]

    /// Settings of the given parts; all matrices unless given.
    public init(
        density: Double, pattern: SparsityPattern = .unstructured, method: SparsityMethod = .fixed,
        matrices: [Matrix] = Matrix.allCases
    ) {
        self.density = density
        self.pattern = pattern
        self.method = method
        self.matrices = Matrix.allCases.filter(matrices.contains)
    }
}

/// How a matrix's kept weights lie.
public enum SparsityPattern: Hashable, Sendable, Codable {
    /// Anywhere.
    case unstructured
    /// In blocks of four outputs that share an input.
    case block4
    /// `kept` of every `group` neighbouring inputs of an output.
    case nOfM(kept: Int, group: Int)

    /// The name in a job file: `unstructured`, `block4`, or `n:m` such as `2:4`.
    public var name: String {
        switch self {
        case .unstructured: "unstructured"
        case .block4: "block4"
        case .nOfM(let kept, let group): "\(kept):\(group)"
        }
    }

    /// The pattern called `name`, or nil. Whether n and m are possible is for the job's rules to say.
    public init?(name: String) {
        switch name {
        case "unstructured": self = .unstructured
        case "block4": self = .block4
        default:
            let parts = name.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2, let kept = Int(parts[0]), let group = Int(parts[1]) else { return nil }
            self = .nOfM(kept: kept, group: group)
        }
    }
}

/// How the kept weights are chosen.
public enum SparsityMethod: Hashable, Sendable, Codable {
    /// At random from the job's seed before the first step, and kept for good.
    case fixed
    /// The largest by magnitude, while the density falls from 1 (Zhu and Gupta 2017).
    case magnitude(MagnitudeRamp)
    /// At random at first; then the smallest give way to those with the largest gradient (Evci et al. 2020, "RigL").
    case regrow(Regrowth)

    /// The name in a job file.
    public var name: String {
        switch self {
        case .fixed: "static"
        case .magnitude: "magnitude"
        case .regrow: "regrow"
        }
    }

    /// The names in a job file.
    public static let names = ["static", "magnitude", "regrow"]
}

/// When the density falls, and how far.
///
/// At step t, with p = (t - start) / ramp held within [0, 1]: 1 - (1 - density)(1 - (1 - p)^3), taken anew every
/// `updateEvery` steps (Zhu and Gupta 2017, equation 1, with an initial sparsity of 0).
public struct MagnitudeRamp: Hashable, Sendable, Codable {
    /// The first step that prunes.
    public var startStep: Int
    /// Steps from there to the final density; 0 to prune at once.
    public var rampSteps: Int
    /// Steps between two choices.
    public var updateEvery: Int

    /// A ramp of the given parts.
    public init(startStep: Int, rampSteps: Int, updateEvery: Int) {
        self.startStep = startStep
        self.rampSteps = rampSteps
        self.updateEvery = updateEvery
    }
}

/// When kept weights are exchanged, and how many.
///
/// At step t, every `updateEvery` steps up to `stopStep`: the share `share / 2 (1 + cos(pi t / stopStep))` of the kept
/// weights (Evci et al. 2020, section 3).
public struct Regrowth: Hashable, Sendable, Codable {
    /// The share of the kept weights that is exchanged at first.
    public var share: Double
    /// Steps between two exchanges.
    public var updateEvery: Int
    /// The step from which on the mask is kept.
    public var stopStep: Int

    /// A regrowth of the given parts.
    public init(share: Double, updateEvery: Int, stopStep: Int) {
        self.share = share
        self.updateEvery = updateEvery
        self.stopStep = stopStep
    }
}
