import BERT
import Jobs

extension Trainer {
    /// Books each kernel's time and work from the next step on; what was booked before is dropped.
    public func startProfile() {
        profile = KernelProfile()
        for worker in workers { worker.profile = KernelProfile() }
    }

    /// What was booked since `startProfile`, over all threads; booking ends.
    public func endProfile() -> KernelProfile {
        var sum = profile ?? KernelProfile()
        profile = nil
        for worker in workers {
            if let part = worker.profile { sum += part }
            worker.profile = nil
        }
        return sum
    }

    /// Runs `body`, which works on all elements with all threads, and books it where measuring was asked for.
    func measure<Result>(_ kernel: StepKernel, floatsPerElement: Int, _ body: () throws -> Result) rethrows -> Result {
        guard profile != nil else { return try body() }
        let start = MonotonicInstant.now()
        defer {
            profile?.book(
                kernel,
                KernelWork(
                    calls: 1, nanoseconds: start.nanosecondsSince * UInt64(threads),
                    bytes: floatsPerElement * MemoryLayout<Float>.stride * plan.layout.elementCount))
        }
        return try body()
    }
}

extension MonotonicInstant {
    /// Nanoseconds from this instant to now.
    var nanosecondsSince: UInt64 { MonotonicInstant.now().nanoseconds - nanoseconds }
}
