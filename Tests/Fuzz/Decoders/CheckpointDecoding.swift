import Digests
import Foundation
import FuzzDriver
import Jobs
import Training

/// A checkpoint's own words, and its list of sums where the input has one behind a NUL byte.
///
/// The list is the right one where none is given, so that what is behind the check of sums is reached.
enum CheckpointDecoding {
    private static let store = CheckpointStore(directory: scratch())
    private static let folder = store.directory + "/step-00000001"
    /// The files beside it, empty: nothing looks into them here.
    private static let others = [
        "weights.safetensors", "first_moments.safetensors", "second_moments.safetensors", "masks.bin",
    ]

    static func run(_ input: UnsafeRawBufferPointer) {
        let parts = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).map { Data($0) }
        // Foundation 6.3 leaks the buffer of a file without any bytes, which a leak check would stop at.
        guard let state = parts.first, !state.isEmpty else { return }
        let sums = parts.count > 1 ? parts[1] : Data(rightSums(of: state).utf8)
        guard !sums.isEmpty else { return }
        guard FileManager.default.createFile(atPath: folder + "/checkpoint.json", contents: state),
            FileManager.default.createFile(atPath: folder + "/SHA256SUMS", contents: sums)
        else { fatalError("\(folder) can't be written") }
        _ = store.best(by: .maskedAccuracy)
        let (found, passedOver) = store.newestWhole()
        promise(found != nil || passedOver.count == 1, "a checkpoint is whole or passed over")
        guard let state = found?.state else { return }
        // A run compares the job with its own, and an export checks it.
        _ = JobFile.problems(of: state.job)
        guard let copy = try? JSONDecoder().decode(CheckpointState.self, from: JSONEncoder().encode(state)) else {
            fatalError("broken promise: a state can be written and read")
        }
        promise(copy == state, "a state is written as it is read")
    }

    private static func rightSums(of state: Data) -> String {
        let none = Data().withUnsafeBytes { SHA256.hexadecimal(of: $0) }
        let own = state.withUnsafeBytes { SHA256.hexadecimal(of: $0) }
        return others.map { "\(none)  \($0)\n" }.joined() + "\(own)  checkpoint.json\n"
    }

    /// A folder in memory with one checkpoint.
    private static func scratch() -> String {
        let directory = "/dev/shm/wafermark-fuzz-\(getpid())"
        atexit { try? FileManager.default.removeItem(atPath: "/dev/shm/wafermark-fuzz-\(getpid())") }
        let folder = directory + "/step-00000001"
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for name in others { try Data().write(to: URL(filePath: "\(folder)/\(name)")) }
        } catch {
            fatalError("\(folder): \(error)")
        }
        return directory
    }
}
