import Foundation

/// The folder of real data that tests may use: `$WAFERMARK_SHARED/data`, or `shared/data` beside the package or a folder
/// above it. Tests that need it are disabled where it is absent.
enum SharedData {
    /// The folder's path; nil where there is none.
    static let directory: String? = {
        var candidates: [String] = []
        if let named = ProcessInfo.processInfo.environment["WAFERMARK_SHARED"] {
            candidates.append(named + "/data")
        }
        var folder = URL(fileURLWithPath: #filePath)
        while folder.path != "/" {
            folder.deleteLastPathComponent()
            candidates.append(folder.appendingPathComponent("shared/data").path)
        }
        return candidates.first { FileManager.default.fileExists(atPath: $0) }
    }()

    /// Why a test that needs the data doesn't run.
    static let absence = "the real data isn't here: set WAFERMARK_SHARED to the folder that holds data/"

    /// The path of a file in the folder, or nil.
    static func path(_ name: String) -> String? {
        guard let path = directory.map({ $0 + "/" + name }), FileManager.default.fileExists(atPath: path) else {
            return nil
        }
        return path
    }
}
