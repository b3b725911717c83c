import ArgumentParser
import Corpus
import Foundation

/// `wafermark corpus tokenize`: the word-piece numbers of each line.
struct CorpusTokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize", abstract: "Print the word-piece numbers of each line of a text.",
        discussion: "A line in, a line out; identical to Hugging Face's BertTokenizerFast, without [CLS] and [SEP].")

    @Option(help: ArgumentHelp("The vocabulary.", valueName: "vocab.txt"))
    var vocabulary: String

    @Flag(help: "Print the pieces instead of their numbers.")
    var pieces = false

    @Argument(help: "The text, in UTF-8; '-' for standard input.")
    var file: String

    func run() throws {
        let tokenizer = WordPieceTokenizer(vocabulary: try Vocabulary(path: vocabulary))
        let lines = try LineReader(path: file)
        var ids: [Int32] = []
        var scratch = WordPieceTokenizer.Scratch()
        var text = ""
        while let line = try lines.next() {
            ids.removeAll(keepingCapacity: true)
            line.withUnsafeBytes { tokenizer.encode($0, into: &ids, scratch: &scratch) }
            let words = pieces ? ids.map { tokenizer.vocabulary.token($0) ?? "" } : ids.map(String.init)
            text += words.joined(separator: " ") + "\n"
            if text.utf8.count > 1 << 16 {
                Console.printExactly(text)
                text = ""
            }
        }
        Console.printExactly(text)
    }
}
