import BERT
import Jobs

extension Trainer {
    /// Books each kernel's time and work from the next step on; what was booked before is dropped.
    ///
    /// - Parameter countingZeros: whether zeros among activations are counted too, which takes time of its own.
    public func startProfile(countingZeros: Bool = false) {
        profile = KernelProfile()
        for worker in workers { worker.profile = KernelProfile(countsZeros: countingZeros) }
    }

    /// Nanoseconds that each thread has spent in passes' kernels since `startProfile`; 0 where nothing is booked.
    var passNanoseconds: [UInt64] { workers.map { $0.profile?.nanoseconds ?? 0 } }

    /// What was booked of lanes since `startProfile`: passes, norms and sums, without what follows for all of them together.
    var passProfile: KernelProfile {
        workers.reduce(into: KernelProfile()) { sum, worker in
            if let part = worker.profile { sum += part }
        }
    }

    /// What was booked since `startProfile`, over all threads; booking ends.
    public func endProfile() -> KernelProfile {
        var sum = passProfile
        if let profile { sum += profile }
        profile = nil
        for worker in workers { worker.profile = nil }
        return sum
    }

    /// Runs `body`, which reads or writes `floats` floats with all threads, and books it where measuring was asked for.
    func measure<Result>(_ kernel: StepKernel, floats: Int, _ body: () throws -> Result) rethrows -> Result {
        guard profile != nil else { return try body() }
        let start = MonotonicInstant.now()
        defer {
            profile?.book(
                kernel,
                KernelWork(
                    calls: 1, nanoseconds: start.nanosecondsSince * UInt64(threads),
                    bytes: floats * MemoryLayout<Float>.stride))
        }
        return try body()
    }
}

extension MonotonicInstant {
    /// Nanoseconds from this instant to now.
    var nanosecondsSince: UInt64 { MonotonicInstant.now().nanoseconds - nanoseconds }
}
