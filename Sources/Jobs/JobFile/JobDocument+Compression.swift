extension JobDocument {
    /// The entry of a job whose gradients are compressed. Another has none: its text, and so its digest, is what it was
    /// before there was one.
    static func compression(_ compression: GradientCompression) -> Entry {
        let value: Value =
            switch compression {
            case .bf16, .fp16: .bare(compression.name)
            case .topK(let settings):
                .map([
                    Entry(key: "kind", value: .bare(compression.name)),
                    Entry(
                        key: "density", value: .bare("\(settings.density)"),
                        comment: "share of each lane's gradient exchanged at a step"),
                    Entry(
                        key: "flush_every", value: .bare("\(settings.flushEvery)"),
                        comment: "steps; then all that was held back is exchanged"),
                ])
            }
        return Entry(key: "compression", value: value, comment: "of gradients: none, bf16, fp16 or top_k")
    }
}
