/// The job files that ship with the package.
public enum JobExample: String, Sendable, CaseIterable {
    /// Small enough to train twice in three minutes on two cores, on text that the package writes itself.
    case demo
    /// The published two-phase LAMB recipe of BERT-Large, on biomedical abstracts.
    case bertLargePubmed = "bert-large-pubmed"

    /// The commented YAML.
    public var text: String {
        switch self {
        case .demo: String(decoding: PackageResources.demo_yaml, as: UTF8.self)
        case .bertLargePubmed: String(decoding: PackageResources.bert_large_pubmed_yaml, as: UTF8.self)
        }
    }

    /// What it is, in a few words.
    public var summary: String {
        switch self {
        case .demo: "a small BERT on synthetic abstracts; minutes on two cores"
        case .bertLargePubmed: "BERT-Large, two phases with LAMB, as published; a cluster's job"
        }
    }

    /// The job. Files that it names need not be there.
    public func job() throws(JobFileError) -> Job {
        try JobFile.parse(text, name: "\(rawValue).yaml", files: .unchecked)
    }
}
