import Foundation
import Jobs
import Synchronization

/// Faults that a worker is to have at given points of its life, so that a test can have each of them at will. Without
/// any, a worker does nothing else than it would without this type.
///
/// They are given as text, `ACTION[:WORKER]@POINT[:STEP]`, separated by commas: `kill:1@apply:3` kills worker 1 between
/// summing and applying step 3. Without a worker each has the fault, without a step the first one.
struct FaultPlan: Hashable, Sendable {
    /// What happens.
    enum Action: String, Hashable, Sendable, CaseIterable {
        case kill, stop, segv, abort, exit0, exit1, exit137
        /// An error that the worker reports itself.
        case error
        /// Computes for ever and goes on with its signs of life.
        case spin
        /// Gives no sign of life any more and goes on otherwise.
        case mute
        /// Takes 100 ms longer, at every step from the given one on.
        case slow
        /// Makes a number of the gradient at hand none, or changes a bit of it.
        case nan, flip
    }

    /// Where it happens.
    enum Point: String, Hashable, Sendable, CaseIterable {
        /// Before the worker has said hello, after it, and with an assignment in hand.
        case launch, hello, load
        /// In a step: see `StepPoint`; `applied` is after it, and nothing of it has been reported.
        case input, forward, sum, backward, exchange, apply, applied
        /// Before an evaluation, before a checkpoint is written, and between writing and reporting it.
        case evaluate, checkpoint, checkpointed
        /// Before the weights' digest is reported, and after.
        case finish, finished
    }

    /// One fault.
    struct Fault: Hashable, Sendable {
        var action: Action
        var worker: WorkerRank?
        var point: Point
        var step: StepNumber?
    }

    /// All of them.
    var faults: [Fault]

    /// The plan that `text` spells.
    ///
    /// - Throws: `FaultPlanError` where it spells none.
    init(parsing text: String) throws(FaultPlanError) {
        faults = []
        for part in text.split(separator: ",") {
            let halves = part.split(separator: "@", omittingEmptySubsequences: false).map {
                $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            }
            guard halves.count == 2, (1...2).contains(halves[0].count), (1...2).contains(halves[1].count),
                let action = Action(rawValue: halves[0][0]), let point = Point(rawValue: halves[1][0])
            else { throw FaultPlanError(text: String(part)) }
            let worker = halves[0].count == 2 ? Int(halves[0][1]) : nil
            let step = halves[1].count == 2 ? Int(halves[1][1]) : nil
            guard (halves[0].count == 2) == (worker != nil), (halves[1].count == 2) == (step != nil) else {
                throw FaultPlanError(text: String(part))
            }
            faults.append(
                Fault(
                    action: action, worker: worker.map { WorkerRank($0) }, point: point,
                    step: step.map { StepNumber($0) }))
        }
    }
}

/// Text that spells no fault.
struct FaultPlanError: Error, CustomStringConvertible {
    var text: String
    var description: String {
        "\(WorkerEnvironment.faults): '\(text)' is no fault; allowed: ACTION[:WORKER]@POINT[:STEP] with an action of "
            + FaultPlan.Action.allCases.map(\.rawValue).joined(separator: ", ") + " and a point of "
            + FaultPlan.Point.allCases.map(\.rawValue).joined(separator: ", ")
    }
}

/// A worker's own faults while it runs.
final class FaultInjector: Sendable {
    private let pending: Mutex<[FaultPlan.Fault]>
    private let muted = Atomic(false)

    /// An error that a plan asked for.
    struct InjectedError: Error, CustomStringConvertible {
        var description: String { "an injected fault" }
    }

    /// Faults of `plan`.
    init(_ plan: FaultPlan) { pending = Mutex(plan.faults) }

    /// The faults that the environment asks for; nil for none.
    ///
    /// - Throws: `FaultPlanError`.
    static func fromEnvironment() throws -> FaultInjector? {
        try ProcessInfo.processInfo.environment[WorkerEnvironment.faults].map {
            FaultInjector(try FaultPlan(parsing: $0))
        }
    }

    /// Whether signs of life are to be left out.
    var isMuted: Bool { muted.load(ordering: .relaxed) }

    /// Has the fault that is due at `point`, if one is.
    ///
    /// - Parameter gradient: what faults of the gradient change.
    func pass(
        _ point: FaultPlan.Point, worker: WorkerRank?, step: StepNumber?,
        gradient: UnsafeMutableBufferPointer<Float>? = nil
    ) throws {
        let due = pending.withLock { pending -> FaultPlan.Action? in
            let index = pending.firstIndex { fault in
                guard fault.point == point, fault.worker == nil || fault.worker == worker else { return false }
                guard let wanted = fault.step else { return true }
                return fault.action == .slow ? step.map { $0 >= wanted } == true : wanted == step
            }
            guard let index else { return nil }
            let action = pending[index].action
            if action != .slow { pending.remove(at: index) }
            return action
        }
        if let due { try perform(due, on: gradient) }
    }

    private func perform(_ action: FaultPlan.Action, on gradient: UnsafeMutableBufferPointer<Float>?) throws {
        switch action {
        case .kill: kill(getpid(), SIGKILL)
        case .stop: kill(getpid(), SIGSTOP)
        case .segv:
            // A parent that ignores the signal hands that on; a real fault ends the process all the same.
            signal(SIGSEGV, SIG_DFL)
            kill(getpid(), SIGSEGV)
        case .abort: Foundation.abort()
        case .exit0: _exit(0)
        case .exit1: _exit(1)
        case .exit137: _exit(137)
        case .error: throw InjectedError()
        case .spin:
            while !muted.load(ordering: .relaxed) {}
        case .mute: muted.store(true, ordering: .relaxed)
        case .slow: usleep(100_000)
        case .nan: if let gradient, !gradient.isEmpty { gradient[0] = .nan }
        case .flip:
            if let gradient, let first = gradient.first {
                // The lowest bit of the exponent: half as much, or twice.
                gradient[0] = Float(bitPattern: first.bitPattern ^ 1 << 23)
            }
        }
    }
}
