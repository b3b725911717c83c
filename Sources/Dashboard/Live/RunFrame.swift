import Foundation
import Jobs
import Report
import Runs

/// How a run stands, and what is new since the frame before. All durations are on the host clock. A number that is not
/// known, or not finite, is missing.
package struct RunFrame: Encodable {
    /// The run and its pace.
    package struct Standing: Encodable {
        package var runId: String
        package var jobName: String
        package var backend: Backend
        package var workers: Int
        package var hardware: String?
        package var algorithm: CollectiveAlgorithm?
        package var state: String
        package var failure: String?
        package var isFinal: Bool
        /// Whether it ended before it was complete.
        package var canResume: Bool
        package var submitted: Date
        package var started: Date?
        package var ended: Date?
        package var stepsMade: Int
        package var stepsPlanned: Int
        package var lanes: Int
        package var elapsedHostSeconds: Double
        package var remainingHostSeconds: Double?
        package var sequencesPerHostSecond: Double?
        package var stepHostSeconds: Double?
        package var timeToTargetHostSeconds: Double?
        package var weightsDigest: String?
    }

    /// A step.
    package struct Step: Encodable {
        package var step: Int
        package var lossNats: Double?
        package var maskedAccuracy: Double?
        package var elapsedHostSeconds: Double
        package var stepHostSeconds: Double
    }

    /// Where a worker's time went in the newest step.
    package struct Worker: Encodable {
        package var rank: Int
        package var step: Int
        package var stepHostSeconds: Double
        package var inputHostSeconds: Double
        package var computeHostSeconds: Double
        package var exposedCommunicationHostSeconds: Double
        package var waitingHostSeconds: Double
        package var optimizerHostSeconds: Double
        package var sentBytes: Int
    }

    /// Quality on held-out text.
    package struct Evaluation: Encodable {
        package var stepsMade: Int
        package var elapsedHostSeconds: Double
        package var maskedLossNats: Double?
        package var maskedAccuracy: Double?
        package var baselineAccuracy: Double?
    }

    /// Something that happened.
    package struct Event: Encodable {
        package var time: Date
        package var kind: RunEvent.Kind
        package var message: String
        package var rank: Int?
        package var step: Int?
    }

    package var run: Standing
    package var steps: [Step]
    package var workers: [Worker]
    package var evaluations: [Evaluation]
    package var events: [Event]

    /// A frame of how `progress` stands, with what is new.
    init(_ progress: RunProgress, steps: [StepRecord], evaluations: [EvaluationRecord], events: [RunEvent]) {
        run = Standing(progress)
        self.steps = steps.map {
            Step(
                step: $0.step.index, lossNats: finite($0.loss), maskedAccuracy: finite($0.maskedAccuracy),
                elapsedHostSeconds: $0.elapsed.seconds, stepHostSeconds: $0.duration.seconds)
        }
        workers = progress.workers.map {
            Worker(
                rank: $0.rank.index, step: $0.step.index, stepHostSeconds: $0.duration.seconds,
                inputHostSeconds: $0.input.seconds, computeHostSeconds: $0.compute.seconds,
                exposedCommunicationHostSeconds: $0.exposedCommunication.seconds,
                waitingHostSeconds: $0.waiting.seconds, optimizerHostSeconds: $0.optimizer.seconds,
                sentBytes: $0.sent.count)
        }
        self.evaluations = evaluations.map {
            Evaluation(
                stepsMade: $0.stepsMade, elapsedHostSeconds: $0.elapsed.seconds, maskedLossNats: finite($0.maskedLoss),
                maskedAccuracy: finite($0.maskedAccuracy), baselineAccuracy: finite($0.baselineAccuracy))
        }
        self.events = events.map {
            Event(time: $0.time, kind: $0.kind, message: $0.message, rank: $0.rank?.index, step: $0.step?.index)
        }
    }
}

extension RunFrame.Standing {
    fileprivate init(_ progress: RunProgress) {
        let run = progress.run
        let failure: String? = if case .failed(let reason) = run.state { reason } else { nil }
        self.init(
            runId: run.id.text, jobName: run.job.name, backend: run.backend, workers: run.workers,
            hardware: run.hardware, algorithm: run.exchange?.algorithm, state: run.state.name,
            failure: failure,
            isFinal: run.state.isFinal, canResume: run.state.isFinal && run.state != .finished,
            submitted: run.submitted, started: run.started, ended: run.ended, stepsMade: progress.stepsMade,
            stepsPlanned: progress.totalSteps, lanes: run.job.lanes, elapsedHostSeconds: progress.elapsed.seconds,
            remainingHostSeconds: run.state.isFinal ? nil : finite(progress.remaining?.seconds),
            sequencesPerHostSecond: finite(progress.sequencesPerSecond),
            stepHostSeconds: finite(progress.stepTime?.seconds),
            timeToTargetHostSeconds: finite(run.outcome?.timeToTarget?.seconds),
            weightsDigest: run.outcome?.weightsDigest)
    }
}
