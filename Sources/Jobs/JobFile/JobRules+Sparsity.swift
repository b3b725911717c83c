extension JobRules {
    /// What is impossible about `sparsity` in `job`.
    static func sparsity(_ sparsity: SparsitySettings, of job: Job, _ check: inout Check) {
        check.within("sparsity.density", sparsity.density, 0.01...0.99)
        if sparsity.matrices.isEmpty {
            check.add(
                ["sparsity.matrices"], found: "none",
                allowed: SparsitySettings.Matrix.allCases.map(\.rawValue).joined(separator: ", "))
        }
        if case .nOfM(let kept, let group) = sparsity.pattern {
            nOfM(kept, group, sparsity, &check)
        }
        let steps = job.phases.reduce(0) { $0 + min(max(0, $1.steps), stepLimit) }
        switch sparsity.method {
        case .fixed: break
        case .magnitude(let ramp):
            check.within("sparsity.start_step", ramp.startStep, 0...stepLimit)
            check.within("sparsity.ramp_steps", ramp.rampSteps, 0...stepLimit)
            check.within("sparsity.update_every", ramp.updateEvery, 1...stepLimit)
            let end = min(max(0, ramp.startStep), stepLimit) + min(max(0, ramp.rampSteps), stepLimit)
            if end >= max(1, steps) {
                check.add(
                    ["sparsity.ramp_steps", "sparsity.start_step"], found: "an end of the ramp at step \(end)",
                    allowed: "below the job's steps (\(steps)), so that the density is reached")
            }
        case .regrow(let regrowth):
            check.within("sparsity.regrow_share", regrowth.share, 0.001...0.9)
            check.within("sparsity.update_every", regrowth.updateEvery, 1...stepLimit)
            check.within("sparsity.stop_step", regrowth.stopStep, 0...max(1, steps))
        }
    }

    private static func nOfM(_ kept: Int, _ group: Int, _ sparsity: SparsitySettings, _ check: inout Check) {
        // Rows are multiples of 16 inputs, so these groups fill them.
        guard [2, 4, 8, 16].contains(group), kept >= 1, kept < group else {
            check.add(
                ["sparsity.pattern"], found: sparsity.pattern.name,
                allowed: "n:m with m of 2, 4, 8 or 16 and n from 1 to m - 1")
            return
        }
        if sparsity.density != Double(kept) / Double(group) {
            check.add(
                ["sparsity.density", "sparsity.pattern"], found: "\(sparsity.density)",
                allowed: "\(Double(kept) / Double(group)), which the pattern \(sparsity.pattern.name) is; or no density"
            )
        }
        if case .magnitude(let ramp) = sparsity.method, ramp.rampSteps != 0 {
            check.add(
                ["sparsity.ramp_steps", "sparsity.pattern"], found: "\(ramp.rampSteps)",
                allowed: "0 with the pattern \(sparsity.pattern.name), which has one density alone")
        }
    }
}
