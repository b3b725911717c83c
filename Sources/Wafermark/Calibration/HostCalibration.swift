import Coordinator
import Foundation
import Jobs
import Kernels
import PerformanceModel

/// Measures this machine in rounds, each of all that was not measured often enough before, so that what slows the machine
/// for a minute spoils no figure.
struct HostCalibration {
    /// A machine that is never left alone has to be taken as it is.
    static let mostRounds = 12

    private let runs: FollowedRuns
    private let cores: Int
    private var kernels: KernelCalibration
    private var memory: MemoryCalibration
    private var exchange: ExchangeCalibration
    private var control: ControlCalibration

    /// Nothing measured yet.
    ///
    /// - Parameters:
    ///   - cores: of the machine.
    ///   - executable: this program's file.
    ///   - runs: by which it trains.
    init(cores: Int, executable: String, runs: FollowedRuns) {
        self.runs = runs
        self.cores = cores
        kernels = KernelCalibration(cores: cores)
        memory = MemoryCalibration(cores: cores)
        exchange = ExchangeCalibration(executable: executable)
        control = ControlCalibration(cores: cores)
    }

    /// Measures until everything was measured often enough. Cancelling the task ends it within some seconds.
    mutating func run(progress: (String) -> Void) async throws -> HostMachine {
        for number in 1...Self.mostRounds {
            let parts = [
                ("kernels", kernels.isEnough), ("memory and optimizer", memory.isEnough),
                ("exchange", exchange.isEnough), ("agreeing on steps", control.isEnough),
            ].filter { !$0.1 }.map(\.0)
            if parts.isEmpty { break }
            progress("round \(number): " + parts.joined(separator: ", "))
            try await kernels.round()
            try await memory.round()
            try await exchange.round()
            try await control.round(runs)
        }
        return try machine()
    }

    /// The machine: its kernels by ratios, each other figure of its quickest round.
    private func machine() throws -> HostMachine {
        let memory = memory.quickest
        var host = HostMachine(
            processor: ThisProgram.machine.processor, cores: cores, instructionSet: KernelLibrary.instructionSet,
            measuredAt: ISO8601DateFormatter().string(from: Date()), disturbancePercent: 100 * kernels.disturbance,
            rates: kernels.rates, adamwNanosecondsPerParameter: memory.adamw.shared,
            lambNanosecondsPerParameter: memory.lamb.shared, adamwNanosecondsPerParameterAlone: memory.adamw.alone,
            lambNanosecondsPerParameterAlone: memory.lamb.alone, laneGradientsAlone: memory.lanesAlone,
            laneGradients: memory.lanes,
            // Two reads and a write of four bytes on each core.
            memoryGigabytesPerSecond: 12 * Double(cores) / memory.add, streams: memory.streams,
            links: exchange.links(memory.streams), controlMicroseconds: 0, controlMicrosecondsInTurns: 0)
        try control.set(in: &host)
        return host
    }
}
