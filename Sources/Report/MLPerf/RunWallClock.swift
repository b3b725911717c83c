import Foundation
import Runs

/// When things happened to a run by the wall clock, which goes on while a run is stopped; host time doesn't.
struct RunWallClock {
    /// When the workers were given their lanes for the first time: nothing had been read by then.
    var start: Date
    /// When the text was ready, and so the start of initialisation.
    var prepared: Date?
    /// When the evaluation that met the target had been made.
    var targetReached: Date?
    /// When the run ended.
    var ended: Date?
    /// Host time and wall time at the start, and again wherever a coordinator took the run up.
    private var anchors: [(elapsed: Double, date: Date)]

    /// Seconds from the text's being ready until the start.
    var initialisation: Double? { prepared.map { max(0, start.timeIntervalSince($0)) } }

    /// The clock of `record`; nil where it was never given to workers.
    init?(_ record: RunRecord) {
        let events = record.events.sorted { $0.time < $1.time }
        guard let first = events.first(where: { $0.kind == .membershipChanged }) else { return nil }
        start = first.time
        prepared = events.first { $0.kind == .datasetPrepared }?.time
        targetReached = events.last { $0.kind == .targetReached }?.time
        ended = record.run.ended
        anchors = []
        // Within one coordinator's life host time goes on with the wall clock, whoever dies; a coordinator that takes a run
        // up begins where the record ends.
        var isTakenUp = true
        for event in events {
            if event.kind == .resumed { isTakenUp = true }
            guard event.kind == .membershipChanged, isTakenUp else { continue }
            isTakenUp = false
            let next = record.steps.first { $0.step.index >= (event.step?.index ?? 0) }
            let elapsed = anchors.isEmpty ? 0 : next.map { $0.elapsed.seconds - $0.duration.seconds } ?? 0
            anchors.append((elapsed, event.time))
        }
    }

    /// When `elapsed` seconds of host time had gone by, never beyond the run's stop.
    func date(at elapsed: Double) -> Date {
        let anchor = anchors.last { $0.elapsed <= elapsed } ?? (elapsed: 0, date: start)
        let date = anchor.date.addingTimeInterval(elapsed - anchor.elapsed)
        return [date, targetReached, ended].compactMap { $0 }.min() ?? date
    }
}
