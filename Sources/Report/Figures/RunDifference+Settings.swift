import Foundation
import Jobs
import Runs

extension RunDifference {
    /// What was asked for otherwise, and what it ran on.
    ///
    /// - Throws: `ReportError.cannotEncode`.
    static func settings(_ run: Run, _ reference: Run) throws -> [Setting] {
        let (mine, other) = (try all(of: run), try all(of: reference))
        return Set(mine.keys).union(other.keys).sorted().compactMap { key in
            mine[key] == other[key] ? nil : Setting(key: key, value: mine[key], referenceValue: other[key])
        }
    }

    /// Every setting by its key.
    private static func all(of run: Run) throws -> [String: String] {
        var settings = try leaves(of: Data(JobFile.json(run.job).utf8), under: "")
        settings["name"] = run.job.name
        settings["run.backend"] = run.backend.rawValue
        settings["run.workers"] = "\(run.workers)"
        settings["run.hardware"] = run.hardware
        settings["run.algorithm"] = run.exchange?.algorithm.rawValue
        settings["run.transport"] = run.exchange?.transport.rawValue
        settings["run.lane_shares"] = run.exchange?.laneShares.rawValue
        settings["run.bucket_bytes"] = (run.exchange?.bucket.count).map { "\($0)" }
        settings["corpus.digest"] = run.corpus?.digest
        if let machine = run.machine {
            let data = try JSONRenderer.document(MachineFigures(machine))
            settings.merge(try leaves(of: data, under: "machine.")) { $1 }
        }
        return settings
    }

    /// The leaves of a JSON document by their paths: `phases.0.steps`.
    private static func leaves(of data: Data, under prefix: String) throws -> [String: String] {
        let value: Any
        do {
            value = try JSONSerialization.jsonObject(with: data)
        } catch {
            throw ReportError.cannotEncode(detail: String(describing: error))
        }
        var leaves: [String: String] = [:]
        func visit(_ value: Any, _ path: String) {
            switch value {
            case let object as [String: Any]:
                for (key, value) in object {
                    visit(value, path.isEmpty || path.hasSuffix(".") ? path + key : "\(path).\(key)")
                }
            case let list as [Any]:
                for (index, value) in list.enumerated() { visit(value, "\(path).\(index + 1)") }
            default: leaves[path] = "\(value)"
            }
        }
        visit(value, prefix)
        return leaves
    }
}
