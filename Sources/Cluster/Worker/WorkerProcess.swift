import BERT
import Corpus
import Foundation
import Jobs
import Messaging
import Training
import Wire

/// The body of `wafermark worker`: joins a run, does what it is assigned, and reports.
public struct WorkerProcess {
    /// What a worker is told when it is started.
    public struct Options: Sendable {
        /// The coordinator's endpoint, the run, and the worker's number in it; nil for one that asks for a number.
        public var coordinator: String
        public var run: RunID
        public var rank: WorkerRank?
        /// How gradients travel; a worker that asks for a number is told that, too.
        public var transport: Transport
        /// The run's secret.
        public var token: String
        /// What its bits depend on.
        public var libraries: Libraries
        /// How it reaches a coordinator and peers of other hosts; nil where all are on this one.
        public var remote: Remote?

        /// Options of the given parts.
        public init(
            coordinator: String, run: RunID, rank: WorkerRank?, transport: Transport, token: String,
            libraries: Libraries, remote: Remote? = nil
        ) {
            self.coordinator = coordinator
            self.run = run
            self.rank = rank
            self.transport = transport
            self.token = token
            self.libraries = libraries
            self.remote = remote
        }
    }

    /// How a worker reaches other hosts.
    public struct Remote: Sendable {
        /// Its key, and the coordinator's.
        public var client: CurveClient
        /// The address of this host at which peers reach it.
        public var host: String

        /// The given ways.
        public init(client: CurveClient, host: String) {
            self.client = client
            self.host = host
        }
    }

    /// Versions that a worker reports: the promise of equal bits holds among equal ones.
    public struct Libraries: Sendable {
        public var instructionSet: String
        public var oneDNN: String
        public var wafermark: String

        /// The given versions.
        public init(instructionSet: String, oneDNN: String, wafermark: String) {
            self.instructionSet = instructionSet
            self.oneDNN = oneDNN
            self.wafermark = wafermark
        }
    }

    /// Makes the backend that needs no peers, around a trainer that owns every lane.
    public typealias WaferFactory = (Trainer) -> any StepBackend

    private let options: Options
    private let makeWafer: WaferFactory

    /// How long a worker that asks for a number waits for it.
    private static let numberDeadline = HostSeconds(30)

    /// A worker that makes a wafer's steps with what `makeWafer` gives.
    public init(options: Options, makeWafer: @escaping WaferFactory) {
        self.options = options
        self.makeWafer = makeWafer
    }

    /// Runs to the end, on the calling thread. A worker that was declared lost and has not been joins anew, with another
    /// number and nothing of what it had.
    ///
    /// - Throws: what ended it, after having told the coordinator.
    public func run() throws {
        // A launcher on another host holds no end of this process's standard input, whatever that is.
        if options.remote == nil { Lifeline.watch() }
        let faults = try FaultInjector.fromEnvironment()
        try faults?.pass(.launch, worker: options.rank, step: nil)
        var rank = options.rank
        while true {
            do {
                return try live(as: rank, faults)
            } catch WorkerEnd.fenced(let reason) {
                let words = "this worker was declared lost: \(reason); it joins anew"
                FileHandle.standardError.write(Data("\(DiagnosticLine.own(words, level: "warning"))\n".utf8))
                rank = nil
            }
        }
    }

    /// Takes part in the run under one number.
    private func live(as rank: WorkerRank?, _ faults: FaultInjector?) throws {
        let network = try options.remote.map { try WorkerNetwork($0) }
        let context = try network.map { network in try Context { network.verdict(on: $0) } } ?? Context()
        let coordinator = try Endpoint(options.coordinator)
        let (rank, transport) = try rank.map { ($0, options.transport) } ?? askForNumber(coordinator, context)
        let (endpoint, stateEndpoint) = try endpoints(of: rank, transport)
        let exchange = try PeerExchange(listeningAt: endpoint, as: network?.keys, in: context)
        defer { exchange.close() }
        let inbox = try StateInbox(listeningAt: stateEndpoint, as: network?.keys, in: context)
        let monitor = exchange.monitor
        let link = try CoordinatorLink(
            run: options.run, rank: rank, token: options.token, endpoint: coordinator, with: network?.coordinator,
            in: context
        ) {
            monitor.interrupt()
        }
        defer { link.close() }
        link.send(
            .hello(
                WorkerHello(
                    token: options.token, processID: getpid(), dataEndpoint: exchange.endpoint.text,
                    stateEndpoint: inbox.endpoint.text, instructionSet: options.libraries.instructionSet,
                    oneDNNVersion: options.libraries.oneDNN, zeroMQVersion: Context.versionText,
                    wafermarkVersion: options.libraries.wafermark, key: network?.keys.publicKey.bytes ?? [])))
        try faults?.pass(.hello, worker: rank, step: nil)
        let progress = WorkerProgress()
        let heartbeats = Heartbeats(of: progress, over: link, faults: faults) { monitor.awaited }
        defer { heartbeats.stop() }
        do {
            var life = WorkerLife(
                run: options.run, rank: rank, makeWafer: makeWafer, context: context, network: network, link: link,
                exchange: exchange, inbox: inbox, progress: progress, faults: faults)
            try life.takePart()
        } catch let end as WorkerEnd {
            throw end
        } catch {
            let (step, phase) = progress.now
            // What the job, the text or the disk is to blame for, every worker would meet.
            let isEverybodys = error is TrainingError || error is CorpusError || error is ModelFileError
            link.send(
                .failure(WorkerFailure(step: step, phase: phase, message: "\(error)", isLocal: !isEverybodys)))
            throw error
        }
    }

    /// Where peers send gradients, and weights and optimizer state.
    private func endpoints(of rank: WorkerRank, _ transport: Transport) throws -> (Endpoint, Endpoint) {
        if let remote = options.remote {
            let any = try Endpoint(host: remote.host, port: 0)
            return (any, any)
        }
        let address = "\(options.coordinator)-\(rank)"
        let state = try Endpoint(address + "-state")
        return switch transport {
        case .sharedMemory, .ipc: (try Endpoint(address), state)
        case .tcp: (try Endpoint("tcp://127.0.0.1:0"), state)
        }
    }

    private func askForNumber(_ coordinator: Endpoint, _ context: Context) throws -> (WorkerRank, Transport) {
        let link = try CoordinatorLink(
            run: options.run, rank: nil, token: options.token, endpoint: coordinator, with: options.remote?.client,
            in: context
        ) {}
        defer { link.close() }
        let admission = try link.admission(token: options.token, within: Self.numberDeadline)
        return (admission.rank, admission.transport)
    }
}
