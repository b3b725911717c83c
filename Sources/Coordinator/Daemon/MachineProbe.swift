import Foundation
import Jobs
import Runs

/// Reads off this machine what a run's host times depend on.
public enum MachineProbe {
    /// This machine, with the library versions that the caller knows.
    public static func machine(
        instructionSet: String, oneDNN: String, zeroMQ: String, wafermark: String
    ) -> Machine {
        Machine(
            processor: processorName(), cores: CoreSet.available,
            instructionSet: instructionSet, memory: Bytes(Int(clamping: ProcessInfo.processInfo.physicalMemory)),
            operatingSystem: operatingSystem(), oneDNN: oneDNN, zeroMQ: zeroMQ, wafermark: wafermark)
    }

    private static func processorName() -> String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces) ?? "unknown"
    }

    private static func operatingSystem() -> String {
        var name = utsname()
        guard uname(&name) == 0 else { return "unknown" }
        func text(_ field: some Any) -> String {
            withUnsafeBytes(of: field) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
        }
        return "\(text(name.sysname)) \(text(name.release))"
    }
}
