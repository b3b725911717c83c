import Dispatch
import Foundation
import Jobs
import Messaging
import Synchronization

/// The body of `wafermark fabric`: holds the links of an emulated network between the workers of one membership.
public struct FabricProcess {
    private let plan: FabricPlan
    private let reportFile: String

    /// A fabric as the plan in `planFile` says, which writes what passed to `reportFile` at its end.
    ///
    /// - Throws: where there is no such file, or no plan in it.
    public init(planFile: String, reportFile: String) throws {
        plan = try JSONDecoder().decode(FabricPlan.self, from: Data(contentsOf: URL(fileURLWithPath: planFile)))
        self.reportFile = reportFile
    }

    /// Runs on the calling thread until SIGTERM, or until the coordinator has gone.
    ///
    /// - Throws: `MessagingError`; where the report can't be written.
    public func run() throws {
        Lifeline.watch()
        // Timers must not wait for workers that compute. Without the right to it the measured lateness tells.
        _ = nice(-10)
        let stop = try WakeUp()
        let isOver = Shared(false)
        signal(SIGTERM, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGTERM, queue: .global())
        source.setEventHandler {
            isOver.values.withLock { $0 = true }
            stop.signal()
        }
        source.resume()
        defer { source.cancel() }
        let report = try run(stop: stop) { isOver.values.withLock { $0 } }
        try JSONEncoder().encode(report).write(to: URL(fileURLWithPath: reportFile), options: .atomic)
    }

    private func run(stop: WakeUp, isOver: () -> Bool) throws -> FabricReport {
        // What comes in and what goes out are copied by libzmq's threads: one of them alone would do both in turn.
        let context = try Context(threads: 2)
        if let virtual = plan.virtual {
            let loop = try VirtualLoop(plan, virtual, in: context)
            try loop.run(stop: stop, isOver: isOver)
            return loop.report
        }
        let loop = try FabricLoop(plan, in: context)
        try loop.run(stop: stop, isOver: isOver)
        return loop.report
    }
}
