import Foundation

/// How text may look where it goes.
struct OutputStyle: Sendable {
    /// Whether a person looks at it.
    var isTerminal: Bool
    /// Whether colours are wanted.
    var colour: Bool
    /// The characters of bars.
    var glyphs: Glyphs
    /// Columns to stay within.
    var columns: Int

    /// The style of a file descriptor, by default standard output: `NO_COLOR`, `TERM=dumb` and the locale are respected.
    init(of descriptor: Int32 = STDOUT_FILENO, environment: [String: String] = ProcessInfo.processInfo.environment) {
        isTerminal = isatty(descriptor) == 1 && environment["TERM"] != "dumb"
        colour = isTerminal && (environment["NO_COLOR"] ?? "").isEmpty
        let locale =
            [environment["LC_ALL"], environment["LC_CTYPE"], environment["LANG"]]
            .compactMap { $0 }.first { !$0.isEmpty } ?? ""
        glyphs = locale.uppercased().contains("UTF") ? .blocks : .ascii
        var size = winsize()
        let hasSize = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        columns = hasSize ? min(max(Int(size.ws_col) - 1, 40), 100) : 80
    }
}
