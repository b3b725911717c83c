import Foundation
import Jobs

/// What a process holds of its host.
public struct ProcessFootprint: Sendable, Encodable {
    /// Resident memory.
    public var residentMebibytes: Double
    /// Open file descriptors, and those of them that are sockets.
    public var descriptors: Int
    public var sockets: Int
    /// Threads.
    public var threads: Int
    /// Processes that it started and that have not been waited for.
    public var children: Int

    /// The given figures.
    package init(residentMebibytes: Double, descriptors: Int, sockets: Int, threads: Int, children: Int) {
        self.residentMebibytes = residentMebibytes
        self.descriptors = descriptors
        self.sockets = sockets
        self.threads = threads
        self.children = children
    }

    /// That of process `number` now, from proc(5); zeros where it is gone.
    package init(of number: Int32) {
        func field(_ name: String) -> Int { HostProcess.field(name, in: "/proc/\(number)/status") ?? 0 }
        residentMebibytes = Double(field("VmRSS")) / 1_024
        threads = field("Threads")
        let files = Self.names(in: "/proc/\(number)/fd")
        descriptors = files.count
        sockets = files.count {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(number)/fd/\($0)"))?
                .hasPrefix("socket:") == true
        }
        children = Self.names(in: "/proc/\(number)/task").reduce(0) { count, thread in
            let list = try? String(contentsOfFile: "/proc/\(number)/task/\(thread)/children", encoding: .utf8)
            return count + (list ?? "").split(separator: " ").count
        }
    }

    /// The median of each figure on its own: one moment's thread or buffer does not show.
    init(medianOf prints: [ProcessFootprint]) {
        func median<Value: Comparable>(_ figure: (ProcessFootprint) -> Value, _ none: Value) -> Value {
            let sorted = prints.map(figure).sorted()
            return sorted.isEmpty ? none : sorted[sorted.count / 2]
        }
        residentMebibytes = median(\.residentMebibytes, 0)
        descriptors = median(\.descriptors, 0)
        sockets = median(\.sockets, 0)
        threads = median(\.threads, 0)
        children = median(\.children, 0)
    }

    private static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }
}

extension ProcessFootprint {
    /// What an idle process may hold more than before: an allocator's and a thread pool's play.
    package static let memoryGrowthShare = 0.1
    package static let memoryGrowthMebibytes = 8.0
    package static let threadGrowth = 4
    package static let descriptorGrowth = 2

    /// What an idle process holds more than may be since it held `first`, in words; empty where it has not leaked.
    package func leaks(since first: ProcessFootprint) -> [String] {
        var leaks: [String] = []
        func look(_ what: String, _ before: Double, _ after: Double, growth: Double) {
            guard after > before + growth else { return }
            leaks.append("\(what) grew from \(before) to \(after); by \(growth) is allowed")
        }
        look(
            "memory in MiB", first.residentMebibytes, residentMebibytes,
            growth: first.residentMebibytes * Self.memoryGrowthShare + Self.memoryGrowthMebibytes)
        look("threads", Double(first.threads), Double(threads), growth: Double(Self.threadGrowth))
        look("descriptors", Double(first.descriptors), Double(descriptors), growth: Double(Self.descriptorGrowth))
        look("sockets", Double(first.sockets), Double(sockets), growth: Double(Self.descriptorGrowth))
        look("children", 0, Double(children), growth: 0)
        return leaks
    }
}
