import Foundation
import Jobs
import Synchronization

/// What a run takes of its machine now.
package struct RunUsage: Hashable, Sendable {
    /// Memory of its processes; pages that several share are counted once. Nil where they are not on this host.
    package var memory: Bytes?
    /// Its files.
    package var disk: Bytes?

    /// Usage of the given parts.
    package init(memory: Bytes? = nil, disk: Bytes? = nil) {
        self.memory = memory
        self.disk = disk
    }
}

/// Looks what a run's processes and files take.
final class RunUsageProbe: Sendable {
    private let processes = Mutex<Set<Int32>>([])
    private let folder: String

    /// A probe of the files in `folder`, and of no process yet.
    init(folder: String) { self.folder = folder }

    /// Notes a process of this host.
    func add(_ process: Int32) { processes.withLock { _ = $0.insert(process) } }

    /// Forgets one that has ended: its number may be another's soon.
    func remove(_ process: Int32) { processes.withLock { _ = $0.remove(process) } }

    /// What is taken now, of what `limits` limit.
    func usage(under limits: RunLimits) -> RunUsage {
        RunUsage(
            memory: limits.memory == nil ? nil : memory(), disk: limits.disk == nil ? nil : FolderSize.bytes(of: folder)
        )
    }

    private func memory() -> Bytes {
        processes.withLock { $0 }.reduce(Bytes(0)) { $0 + Self.memory(of: $1) }
    }

    /// The proportional share of a process; its resident set where the kernel doesn't tell; nothing where it has ended.
    static func memory(of process: Int32) -> Bytes {
        let share = HostProcess.field("Pss", in: "/proc/\(process)/smaps_rollup")
        return Bytes((share ?? HostProcess.field("VmRSS", in: "/proc/\(process)/status") ?? 0) << 10)
    }
}

/// How much files take.
enum FolderSize {
    /// The blocks of all files under `folder`; nothing where there is none. Files that go meanwhile are left out.
    static func bytes(of folder: String) -> Bytes {
        guard let names = FileManager.default.enumerator(atPath: folder) else { return Bytes(0) }
        var total = 0
        for case let name as String in names {
            var status = stat()
            guard lstat(folder + "/" + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            total += Int(status.st_blocks) * 512
        }
        return Bytes(total)
    }
}
