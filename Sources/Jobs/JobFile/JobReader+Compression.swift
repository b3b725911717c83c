/// Reads `compression`: a name, or a mapping with `kind`.
extension JobReader {
    /// The compression at `compression`; nil where gradients are exchanged as they are.
    func compression(_ fields: Fields) -> GradientCompression? {
        guard let node = fields.node("compression"), !Fields.isNone(node) else { return nil }
        if case .scalar = node { return compression(named: node, key: "compression", fields) }
        let mapping = Fields(node, path: "compression", known: ["kind", "density", "flush_every"], list: list)
        guard case .mapping = node,
            let kind = mapping.required("kind", GradientCompression.names.joined(separator: ", ")),
            let compression = compression(named: kind, key: "compression.kind", mapping)
        else { return nil }
        guard case .topK(let usual) = compression else {
            for key in ["density", "flush_every"] {
                guard let node = mapping.node(key) else { continue }
                list.add(
                    JobProblem(
                        line: node.line, key: "compression.\(key)", found: node.found,
                        allowed: "nothing: \(compression.name) has no such key"))
            }
            return compression
        }
        return .topK(
            TopKSettings(
                density: mapping.number("density", default: usual.density),
                flushEvery: mapping.integer("flush_every", default: usual.flushEvery)))
    }

    private func compression(named node: JobNode, key: String, _ fields: Fields) -> GradientCompression? {
        let names = GradientCompression.names
        guard let text = fields.text(node, key: key, allowed: names.joined(separator: ", ")) else { return nil }
        if let compression = GradientCompression(name: text) { return compression }
        list.add(.unknownName(text, of: names, line: node.line, key: key))
        return nil
    }
}
