import Corpus
import Jobs

/// An import's progress in words.
package enum ImportText {
    /// "12/1,219 files  360,000 abstracts  182 MB/s  5:10 left".
    package static func line(_ progress: ImportProgress) -> String {
        var text = "\(Figures.count(progress.filesDone))/\(Figures.plural(progress.files, "file"))"
        text += "  \(Figures.count(progress.abstracts)) abstracts"
        switch progress.stage {
        case .reading: text += "  \(Figures.short(progress.bytesPerSecond / 1e6)) MB/s"
        case .choosing: text += "  finding copies"
        case .writing: text += "  writing \(progress.shardsWritten)/\(progress.shardsToWrite)"
        }
        if let left = progress.remaining { text += "  \(Figures.clock(left.seconds)) left" }
        return text
    }
}
