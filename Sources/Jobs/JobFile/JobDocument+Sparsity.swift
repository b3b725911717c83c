extension JobDocument {
    /// The entry of a sparse job. A dense job has none: its text, and so its digest, is what it was before there was one.
    static func sparsity(_ sparsity: SparsitySettings) -> Entry {
        var entries = [
            Entry(key: "density", value: .bare("\(sparsity.density)"), comment: "share of weights kept"),
            Entry(
                key: "pattern", value: .text(sparsity.pattern.name),
                comment: "unstructured, block4, or n:m such as 2:4"),
            Entry(
                key: "method", value: .bare(sparsity.method.name),
                comment: "static, magnitude or regrow: how they are chosen"),
            Entry(key: "matrices", value: .list(sparsity.matrices.map { .bare($0.rawValue) })),
        ]
        switch sparsity.method {
        case .fixed: break
        case .magnitude(let ramp):
            entries += [
                Entry(key: "start_step", value: .bare("\(ramp.startStep)"), comment: "the first that prunes"),
                Entry(key: "ramp_steps", value: .bare("\(ramp.rampSteps)"), comment: "until the density is reached"),
                Entry(key: "update_every", value: .bare("\(ramp.updateEvery)"), comment: "steps"),
            ]
        case .regrow(let regrowth):
            entries += [
                Entry(
                    key: "regrow_share", value: .bare("\(regrowth.share)"),
                    comment: "of the kept weights, exchanged at first"),
                Entry(key: "update_every", value: .bare("\(regrowth.updateEvery)"), comment: "steps"),
                Entry(key: "stop_step", value: .bare("\(regrowth.stopStep)"), comment: "then the mask is kept"),
            ]
        }
        return Entry(key: "sparsity", value: .map(entries), comment: "weights held at zero")
    }
}
