import Foundation

/// The right to write a folder, held by one process at a time and given back when the process ends, however it ends.
///
/// The lock is on the folder itself (`flock`), so nothing is left behind.
struct FolderLock: ~Copyable {
    private let descriptor: Int32

    /// Takes the folder at `path`, which must be there. Throws `.busy` where another process or another lock of this
    /// process has it.
    init(_ path: String, saying name: String? = nil) throws {
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CorpusError.unwritable(path: path, reason: String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, Self.isSame(descriptor, path) else {
            // What is whole is destroyed by a throw, so `deinit` closes; twice would close another thread's file.
            throw CorpusError.busy(path: name ?? path)
        }
    }

    deinit { close(descriptor) }

    /// Whether `path` still leads to the folder: its last owner may have given it another name meanwhile.
    private static func isSame(_ descriptor: Int32, _ path: String) -> Bool {
        var mine = stat()
        var theirs = stat()
        return fstat(descriptor, &mine) == 0 && stat(path, &theirs) == 0 && mine.st_ino == theirs.st_ino
            && mine.st_dev == theirs.st_dev
    }
}
