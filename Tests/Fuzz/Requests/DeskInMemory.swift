import Coordinator
import Dashboard
import Dispatch
import Foundation
import Hummingbird
import Jobs
import Logging
import NIOCore
import NIOPosix
import Runs

/// The dashboard's routes over a store with one run that has ended, whose daemon does not run; its files are in memory.
struct DeskInMemory: Sendable {
    /// The run's id.
    static let run = "0123wxyz"

    private static var folder: String { "/dev/shm/wafermark-fuzz-\(getpid())" }

    private let store: RunStore
    private let responder: any HTTPResponder<BasicRequestContext>
    /// A context needs a channel, of which no route makes use.
    private let channel: any Channel

    init() {
        do {
            store = try RunStore(directory: Self.folder)
            responder = Dashboard.router(
                RunDesk(store: store, state: StateDirectory(path: Self.folder)), version: "0"
            ).buildResponder()
            channel = try DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: "127.0.0.1", port: 0).wait()
        } catch {
            fatalError("no dashboard in \(Self.folder): \(error)")
        }
        atexit { try? FileManager.default.removeItem(atPath: DeskInMemory.folder) }
        restore()
    }

    /// Puts the run on record again.
    func restore() {
        do {
            guard let id = RunID(Self.run) else { fatalError("'\(Self.run)' is no id") }
            var run = Run(
                id: id, job: try JobExample.demo.job(), backend: .cluster, workers: 2, hardware: nil,
                submitted: Date(timeIntervalSince1970: 0))
            try store.insert(run)
            run.state = .interrupted
            try store.update(run)
        } catch {
            fatalError("the run can't be put on record: \(error)")
        }
    }

    /// The status of the answer, after all of its body.
    func status(of request: Request) -> Int {
        let done = DispatchSemaphore(value: 0)
        nonisolated(unsafe) var status = 0
        Task {
            status = await answer(to: request)
            done.signal()
        }
        done.wait()
        return status
    }

    private func answer(to request: Request) async -> Int {
        let context = BasicRequestContext(
            source: ApplicationRequestContextSource(channel: channel, logger: Logger(label: "fuzz")))
        do {
            let response = try await responder.respond(to: request, context: context)
            try await response.body.write(Discard())
            return response.status.code
        } catch let error as any HTTPResponseError {
            return error.status.code
        } catch {
            return 500
        }
    }
}

/// Takes a response's body, and keeps nothing of it.
private struct Discard: ResponseBodyWriter {
    func write(_ buffer: ByteBuffer) {}
    func finish(_ trailingHeaders: HTTPFields?) {}
}
