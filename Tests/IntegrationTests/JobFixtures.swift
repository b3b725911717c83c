import Foundation
import TestSupport

/// Small jobs for tests that start the whole program.
enum JobFixtures {
    /// A network of two narrow layers on a few synthetic abstracts: a step takes milliseconds.
    static func small(
        steps: Int = 12, lanes: Int = 4, batch: Int = 16, corpus: String = "synthetic: { documents: 300, seed: 5 }"
    ) -> String {
        """
        name: small
        model: { layers: 2, hidden: 64, heads: 2, positions: 64 }
        corpus:
          \(corpus)
          vocabulary: 600
          held_out: 0.1
        lanes: \(lanes)
        seed: 11
        phases:
          - sequence: 64
            masked_positions: 10
            global_batch: \(batch)
            steps: \(steps)
            learning_rate: 1.0e-3
            warmup_steps: 4
        evaluation: { every_steps: 6, sequences: 32 }
        """
    }
}

/// What a state directory shows of processes and sockets.
enum Leftovers {
    /// The workers, fabrics and preparations that still run for the state directory at `state`.
    static func processes(of state: String, kinds: [String] = ["worker", "fabric", "prepare-dataset"]) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).filter { process in
            guard let data = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
            let words = String(decoding: data, as: UTF8.self).split(separator: "\0")
            return words.contains { $0.contains(state) }
                && kinds.contains { words.contains(Substring($0)) }
        }
    }

    /// Files of memory that the process has open or mapped.
    static func sharedMemory(of process: Int32) -> [String] {
        let folder = "/proc/\(process)/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let open = names.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)") }
        let maps = FileManager.default.contents(atPath: "/proc/\(process)/maps") ?? Data()
        let mapped = String(decoding: maps, as: UTF8.self).split(separator: "\n").map(String.init)
        return (open + mapped).filter { $0.contains("memfd:") }
    }

    /// The socket files that are left in the state directory at `state`.
    static func sockets(of state: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: state + "/sockets")) ?? []
    }
}
