/// Reads `sparsity`: which keys there may be depends on the method.
extension JobReader {
    /// The settings at `sparsity`; nil for a dense network.
    func sparsity(_ fields: Fields, phases: [Phase]) -> SparsitySettings? {
        guard let node = fields.node("sparsity"), !Fields.isNone(node) else { return nil }
        let method = methodName(of: node)
        let keys = ["density", "pattern", "method", "matrices"]
        let sparsity = Fields(
            node, path: "sparsity", known: keys + (method.map(Self.keys(of:)) ?? Self.scheduleKeys), list: list)
        guard case .mapping = node else { return nil }
        if sparsity.node("method") != nil, method == nil {
            if let node = sparsity.node("method"),
                let text = sparsity.text(node, key: "sparsity.method", allowed: names(SparsityMethod.names))
            {
                list.add(.unknownName(text, of: SparsityMethod.names, line: node.line, key: "sparsity.method"))
            }
        }
        let pattern = pattern(sparsity)
        var implied: Double?
        if case .nOfM(let kept, let group) = pattern {
            // The rules refuse an impossible pattern; its density is none's business then.
            implied = (1..<max(group, 1)).contains(kept) ? Double(kept) / Double(group) : 0.5
        }
        return SparsitySettings(
            density: sparsity.number("density", default: implied), pattern: pattern,
            method: self.method(method ?? "static", of: pattern, sparsity, phases), matrices: matrices(sparsity))
    }

    private static let scheduleKeys = ["start_step", "ramp_steps", "update_every", "regrow_share", "stop_step"]

    private static func keys(of method: String) -> [String] {
        switch method {
        case "magnitude": ["start_step", "ramp_steps", "update_every"]
        case "regrow": ["regrow_share", "update_every", "stop_step"]
        default: []
        }
    }

    /// The method that `node` names, before its other keys are looked at; `static` where it is silent, nil for no name.
    private func methodName(of node: JobNode) -> String? {
        guard case .mapping(let pairs, _) = node, let method = pairs.first(where: { $0.key == "method" }) else {
            return "static"
        }
        guard case .scalar(let text, _, _) = method.value, SparsityMethod.names.contains(text) else { return nil }
        return text
    }

    private func method(
        _ name: String, of pattern: SparsityPattern, _ fields: Fields, _ phases: [Phase]
    ) -> SparsityMethod {
        let steps = phases.reduce(0) { $0 &+ min(max($1.steps, 0), JobRules.stepLimit) }
        // Often enough to follow training, seldom enough to cost nothing: RigL's 100, or 20 times in a short job.
        let often = max(1, min(100, steps / 20))
        switch name {
        case "magnitude":
            var ramp = steps / 2
            if case .nOfM = pattern { ramp = 0 }
            return .magnitude(
                MagnitudeRamp(
                    startStep: fields.integer("start_step", default: steps / 10),
                    rampSteps: fields.integer("ramp_steps", default: ramp),
                    updateEvery: fields.integer("update_every", default: often)))
        case "regrow":
            // Evci et al. 2020, section 4: a share of 0.3, until three quarters of training.
            return .regrow(
                Regrowth(
                    share: fields.number("regrow_share", default: 0.3),
                    updateEvery: fields.integer("update_every", default: often),
                    stopStep: fields.integer("stop_step", default: steps * 3 / 4)))
        default: return .fixed
        }
    }

    private func pattern(_ fields: Fields) -> SparsityPattern {
        let allowed = "unstructured, block4, or n:m such as 2:4"
        guard let node = fields.node("pattern"),
            let text = fields.text(node, key: "sparsity.pattern", allowed: allowed)
        else { return .unstructured }
        if let pattern = SparsityPattern(name: text) { return pattern }
        list.add(JobProblem(line: node.line, key: "sparsity.pattern", found: node.found, allowed: allowed))
        return .unstructured
    }

    private func matrices(_ fields: Fields) -> [SparsitySettings.Matrix] {
        typealias Matrix = SparsitySettings.Matrix
        guard let node = fields.node("matrices") else { return Matrix.allCases }
        let items: [JobNode]
        if case .sequence(let list, _) = node { items = list } else { items = [node] }
        let named = items.prefix(64).map { fields.choice($0, key: "sparsity.matrices") as Matrix? }
        return named.contains(nil) ? Matrix.allCases : named.compactMap { $0 }
    }

    private func names(_ names: [String]) -> String { names.joined(separator: ", ") }
}
