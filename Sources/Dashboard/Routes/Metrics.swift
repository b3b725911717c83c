import Jobs
import Report
import Runs

/// The daemon's figures in Prometheus' text format 0.0.4.
package struct Metrics {
    let runs: [RunSummary]
    /// The run under way.
    let live: RunProgress?
    let version: String

    /// Figures of the given runs.
    package init(runs: [RunSummary], live: RunProgress?, version: String) {
        self.runs = runs
        self.live = live
        self.version = version
    }

    private static let states = ["queued", "preparing", "running", "finished", "failed", "cancelled", "interrupted"]

    /// The page.
    package var text: String {
        var page = Page()
        page.family("wafermark_info", "gauge", "The program's version.")
        page.sample("wafermark_info", ["version": version], 1)
        page.family("wafermark_runs", "gauge", "Runs on record, by state.")
        for state in Self.states {
            page.sample("wafermark_runs", ["state": state], Double(runs.count { $0.state.name == state }))
        }
        page.family("process_resident_memory_bytes", "gauge", "Resident memory of the daemon.")
        page.sample("process_resident_memory_bytes", [:], Double(HostProcess.residentBytes))
        if let live { addLive(live, to: &page) }
        return page.text
    }

    private func addLive(_ live: RunProgress, to page: inout Page) {
        let labels = ["run": live.run.id.text, "job": live.run.job.name, "backend": live.run.backend.rawValue]
        func gauge(_ name: String, _ help: String, _ value: Double?) {
            guard let value else { return }
            page.family(name, "gauge", help)
            page.sample(name, labels, value)
        }
        gauge("wafermark_run_steps", "Optimizer steps made by the run under way.", Double(live.stepsMade))
        gauge("wafermark_run_steps_planned", "Optimizer steps that its job has.", Double(live.totalSteps))
        gauge("wafermark_run_loss_nats", "Its training loss at the newest step, in nats.", live.steps.last?.loss)
        gauge(
            "wafermark_run_sequences_per_host_second", "Sequences a second of host time over the newest steps.",
            live.sequencesPerSecond)
        gauge("wafermark_run_step_host_seconds", "Host time of a step over the newest steps.", live.stepTime?.seconds)
        gauge(
            "wafermark_run_held_out_accuracy", "MLM accuracy at its newest evaluation, a share of 1.",
            live.evaluations.last?.maskedAccuracy)
        guard !live.workers.isEmpty else { return }
        page.family("wafermark_worker_step_host_seconds", "gauge", "Where each worker's newest step went, by part.")
        for worker in live.workers {
            for (part, time) in worker.parts {
                page.sample(
                    "wafermark_worker_step_host_seconds",
                    labels.merging(["rank": "\(worker.rank)", "part": part]) { $1 }, time.seconds)
            }
        }
        page.family(
            "wafermark_worker_step_sent_bytes", "gauge", "Gradient bytes that each worker sent in its newest step.")
        for worker in live.workers {
            page.sample(
                "wafermark_worker_step_sent_bytes", labels.merging(["rank": "\(worker.rank)"]) { $1 },
                Double(worker.sent.count))
        }
    }

    /// The text in the making.
    private struct Page {
        var text = ""

        mutating func family(_ name: String, _ type: String, _ help: String) {
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        }

        mutating func sample(_ name: String, _ labels: [String: String], _ value: Double) {
            let list = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(Self.escaped($0.value))\"" }
            let number =
                value.isNaN ? "NaN" : value.isInfinite ? (value > 0 ? "+Inf" : "-Inf") : "\(value)"
            text += name + (list.isEmpty ? "" : "{\(list.joined(separator: ","))}") + " \(number)\n"
        }

        private static func escaped(_ text: String) -> String {
            text.reduce(into: "") { result, character in
                switch character {
                case "\\": result += "\\\\"
                case "\"": result += "\\\""
                case "\n": result += "\\n"
                default: result.append(character)
                }
            }
        }
    }
}

extension WorkerStepRecord {
    fileprivate var parts: [(String, HostSeconds)] {
        [
            ("input", input), ("compute", compute), ("exposed_communication", exposedCommunication),
            ("waiting", waiting), ("optimizer", optimizer),
        ]
    }
}
