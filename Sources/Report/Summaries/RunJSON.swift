import Foundation
import Jobs
import Runs

/// The JSON documents of `runs list --json` and `runs show --json`: snake_case keys, units and clocks in the keys,
/// times of day in ISO 8601; a key that is missing stands for what is not known.
public enum RunJSON {
    private struct Show: Encodable {
        var job: JobFigures
        var run: RunFigures
    }

    /// `{"runs": [{"run_id": …}]}`, in the given order, a line a run. Written without an encoder, which takes ten times as
    /// long: there can be ten thousand runs.
    public static func list(_ runs: [RunSummary]) -> Data {
        var text = "{\"runs\":["
        for (index, run) in runs.enumerated() {
            text += index == 0 ? "\n" : ",\n"
            line(run, into: &text)
        }
        text += "]}\n"
        return Data(text.utf8)
    }

    private static func line(_ run: RunSummary, into text: inout String) {
        var object = JSONObjectText()
        object.add("run_id", run.id.text)
        object.add("job_name", run.jobName)
        object.add("backend", run.backend.rawValue)
        object.add("workers", run.workers)
        object.add("hardware", run.hardware)
        object.add("state", run.state.name)
        if case .failed(let reason) = run.state { object.add("failure", reason) }
        object.add("submitted", UTCText.seconds(run.submitted.timeIntervalSince1970))
        object.add("started", run.started.map { UTCText.seconds($0.timeIntervalSince1970) })
        object.add("ended", run.ended.map { UTCText.seconds($0.timeIntervalSince1970) })
        object.add("steps_made", run.stepsMade)
        object.add("steps_planned", run.stepsPlanned)
        object.add("training_host_seconds", finite(run.trainingTime?.seconds))
        object.add("time_to_target_host_seconds", finite(run.timeToTarget?.seconds))
        if run.isPinned { object.add("pinned", true) }
        text += object.text
    }

    private struct Events: Encodable {
        var runId: String
        var events: [EventFigures]
    }

    /// `{"run_id": …, "events": […]}`, oldest first. Throws `ReportError.cannotEncode`.
    public static func events(_ record: RunRecord) throws -> Data {
        try JSONRenderer.document(
            Events(runId: record.run.id.text, events: RunFigures(record, label: "").events))
    }

    /// `{"job": …, "run": …}`, both as in a report's document. Throws `ReportError.cannotEncode`.
    public static func show(_ record: RunRecord) throws -> Data {
        try JSONRenderer.document(
            Show(
                job: JobFigures(record.run.job, vocabularySize: record.run.corpus?.vocabularySize),
                run: RunFigures(record, label: record.run.backend == .wafer ? "Wafer" : "Cluster")))
    }
}
