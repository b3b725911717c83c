/// The section `corpus` of a job file: text to prepare, or a folder that holds a dataset.
extension JobReader {
    /// The corpus, and what its folder says of its dataset where it names one that could be looked into.
    func corpus(_ fields: Fields) -> (CorpusSource, BuiltDataset?) {
        let placeholder = CorpusSource(text: .synthetic(documents: 1000, seed: 1), vocabulary: .trained(size: 1000))
        let allowed =
            "a folder that 'wafermark corpus build' has filled, or a mapping with 'text' (or 'synthetic') and 'vocabulary'"
        guard let node = fields.required("corpus", allowed) else { return (placeholder, nil) }
        switch node {
        case .scalar:
            guard let path = fields.text(node, key: "corpus", allowed: allowed) else { return (placeholder, nil) }
            return folder(path, key: "corpus", line: node.line).map { built($0, beside: nil) } ?? (placeholder, nil)
        case .sequence:
            list.add(JobProblem(line: node.line, key: "corpus", found: node.found, allowed: allowed))
            return (placeholder, nil)
        case .mapping:
            let corpus = Fields(
                node, path: "corpus", known: ["text", "synthetic", "vocabulary", "held_out", "built", "digest"],
                list: list)
            if let folder = corpus.node("built") { return built(folder, of: corpus) ?? (placeholder, nil) }
            if let digest = corpus.node("digest") {
                list.add(
                    JobProblem(
                        line: digest.line, key: "corpus.digest", found: digest.found,
                        allowed: "nothing: a digest goes with 'corpus.built'"))
            }
            let usual = TextCorpus(text: .synthetic(documents: 1000, seed: 1), vocabulary: .trained(size: 1000))
            return (
                .text(
                    TextCorpus(
                        text: text(corpus, line: node.line) ?? usual.text,
                        vocabulary: vocabulary(corpus) ?? usual.vocabulary,
                        heldOut: corpus.number("held_out", default: 0.05))), nil
            )
        }
    }

    /// The folder under `corpus.built`; what stands beside it must be so in the folder.
    private func built(_ node: JobNode, of corpus: Fields) -> (CorpusSource, BuiltDataset?)? {
        for key in ["text", "synthetic"] {
            guard let other = corpus.node(key) else { continue }
            list.add(
                JobProblem(
                    line: other.line, key: "corpus.\(key)", found: "both '\(key)' and 'built'",
                    allowed: "one of the two"))
        }
        guard let path = corpus.text(node, key: "corpus.built", allowed: "the path of a corpus folder"),
            let found = folder(path, key: "corpus.built", line: node.line)
        else { return nil }
        return built(found, beside: corpus)
    }

    private func built(_ found: CorpusProbe.Finding, beside corpus: Fields?) -> (CorpusSource, BuiltDataset?) {
        switch found {
        case .built(let dataset):
            var stated = dataset.corpus
            if let corpus {
                stated.vocabularySize = corpus.integer("vocabulary", default: stated.vocabularySize)
                stated.heldOut = corpus.number("held_out", default: stated.heldOut)
                stated.digest = digest(corpus) ?? stated.digest
            }
            return (.built(stated), dataset)
        case .unchecked(let path), .refused(let path, _):
            // Where nothing can be looked at, the job must say itself what it would have found.
            let stated = BuiltCorpus(
                directory: path, digest: corpus.flatMap(digest) ?? "",
                vocabularySize: corpus?.integer("vocabulary") ?? 0,
                heldOut: corpus?.number("held_out", default: 0.05) ?? 0.05)
            return (.built(stated), nil)
        }
    }

    private func digest(_ corpus: Fields) -> String? {
        guard let node = corpus.node("digest") else { return nil }
        return corpus.text(node, key: "corpus.digest", allowed: "64 hexadecimal digits")
    }

    /// What the folder at `path` holds; nil where it holds no dataset, which is a problem of the job.
    private func folder(_ path: String, key: String, line: Int) -> CorpusProbe.Finding? {
        guard !path.isEmpty else {
            list.add(JobProblem(line: line, key: key, found: "an empty path", allowed: "the path of a corpus folder"))
            return nil
        }
        let found = files.corpora(path, relativeTo: directory)
        switch found {
        case .built, .unchecked: return found
        case .refused(let tried, let reason):
            list.add(
                JobProblem(
                    line: line, key: key, found: "\(PrintableText.quoted(tried, limit: 300)) (\(reason))",
                    allowed: "a folder that 'wafermark corpus build' has filled, relative to the job file or absolute"))
            return nil
        }
    }

    private func text(_ corpus: Fields, line: Int) -> TextCorpus.Text? {
        switch (corpus.node("text"), corpus.node("synthetic")) {
        case (nil, nil):
            list.add(
                JobProblem(
                    line: line, key: "corpus", found: "no text",
                    allowed: "'text' with one path or a list of them, or 'synthetic' with a number of documents"))
            return nil
        case (.some, .some(let synthetic)):
            list.add(
                JobProblem(
                    line: synthetic.line, key: "corpus", found: "both 'text' and 'synthetic'", allowed: "one of the two"
                ))
            return nil
        case (nil, .some(let node)):
            let synthetic = Fields(node, path: "corpus.synthetic", known: ["documents", "seed"], list: list)
            return .synthetic(documents: synthetic.integer("documents"), seed: synthetic.integer("seed", default: 1))
        case (.some(let node), nil):
            let allowed = "a path or a list of paths"
            switch node {
            case .scalar:
                return path(node, key: "corpus.text", of: corpus, allowed: allowed).map { .files([$0]) }
            case .sequence(let items, let line):
                if items.isEmpty {
                    list.add(JobProblem(line: line, key: "corpus.text", found: "an empty list", allowed: allowed))
                    return nil
                }
                let paths = items.enumerated().compactMap { index, item in
                    path(item, key: "corpus.text[\(index)]", of: corpus, allowed: allowed)
                }
                return paths.count == items.count ? .files(paths) : nil
            case .mapping:
                list.add(JobProblem(line: node.line, key: "corpus.text", found: node.found, allowed: allowed))
                return nil
            }
        }
    }

    private func vocabulary(_ corpus: Fields) -> TextCorpus.Vocabulary? {
        let allowed = "a number of entries such as 8192, or the path of a vocab.txt"
        guard let node = corpus.required("vocabulary", allowed) else { return nil }
        if case .scalar(let text, false, _) = node, text.first.map({ $0.isNumber || $0 == "-" || $0 == "+" }) ?? false,
            text.allSatisfy({ $0.isNumber || "+-_.eE".contains($0) })
        {
            let size: Int? = corpus.integer(node, key: "corpus.vocabulary", allowed: allowed)
            return size.map { .trained(size: $0) }
        }
        return path(node, key: "corpus.vocabulary", of: corpus, allowed: allowed).map { .file($0) }
    }

    private func path(_ node: JobNode, key: String, of corpus: Fields, allowed: String) -> String? {
        guard let text = corpus.text(node, key: key, allowed: allowed) else { return nil }
        guard !text.isEmpty else {
            list.add(JobProblem(line: node.line, key: key, found: "an empty path", allowed: allowed))
            return nil
        }
        switch files(text, relativeTo: directory) {
        case .file(let path):
            return path
        case .refused(let path, let reason):
            list.add(
                JobProblem(
                    line: node.line, key: key, found: "\(PrintableText.quoted(path, limit: 300)) (\(reason))",
                    allowed: "a readable file, relative to the job file or absolute"))
            return nil
        }
    }
}
