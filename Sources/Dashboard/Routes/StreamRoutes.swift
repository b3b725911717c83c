import Foundation
import Hummingbird
import Jobs
import Report
import Runs

/// Server-sent events: what changes, as it changes.
struct StreamRoutes {
    let desk: RunDesk
    private let open = OpenStreams(limit: 64)

    init(desk: RunDesk) { self.desk = desk }

    /// How often the record is looked at, and after how long without news a stream says that it is still there.
    private static let interval = Duration.milliseconds(500)
    private static let silence = Duration.seconds(10)

    func add(to router: Router<BasicRequestContext>) {
        let desk = desk
        router.get("/api/v1/stream") { [open] _, _ in
            try Self.stream(open) {
                var last: [RunSummary]?
                return {
                    let runs = try desk.store.list(limit: 200)
                    guard runs != last else { return .nothing }
                    last = runs
                    return .news(event: "runs", RunJSON.list(runs), isLast: false)
                }
            }
        }
        router.get("/api/v1/runs/:run/stream") { [open] _, context in
            let id = try desk.run(named: context)
            return try Self.stream(open) {
                var feed = RunFeed(of: id, in: desk.store)
                return {
                    guard let frame = try feed.next() else { return .nothing }
                    return .news(event: "frame", try DashboardJSON.encode(frame), isLast: frame.run.isFinal)
                }
            }
        }
    }

    /// What one look found.
    private enum Look {
        case nothing
        case news(event: String, Data, isLast: Bool)
    }

    /// A response that goes on until the client leaves, the looker throws, or it says that nothing will follow.
    private static func stream(
        _ open: OpenStreams, _ makeLooker: @escaping @Sendable () -> () throws -> Look
    ) throws -> Response {
        guard let place = open.enter() else {
            throw HTTPError(.serviceUnavailable, message: "too many streams are open; close some pages")
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                defer { withExtendedLifetime(place) {} }
                let look = makeLooker()
                var quiet = Duration.zero
                // The browser asks again by itself; not more often than this.
                try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
                following: while !Task.isCancelled {
                    switch try look() {
                    case .nothing:
                        quiet += interval
                    case .news(let event, let data, let isLast):
                        try await writer.write(ByteBuffer(string: Self.frame(event, data)))
                        quiet = .zero
                        if isLast {
                            try await writer.write(ByteBuffer(string: "event: end\ndata: {}\n\n"))
                            break following
                        }
                    }
                    if quiet >= silence {
                        // Also how it is noticed that the client has gone.
                        try await writer.write(ByteBuffer(string: ": still here\n\n"))
                        quiet = .zero
                    }
                    try await Task.sleep(for: interval)
                }
                try await writer.finish(nil)
            })
    }

    private static func frame(_ event: String, _ data: Data) -> String {
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: true)
        return "event: \(event)\n" + lines.map { "data: \($0)\n" }.joined() + "\n"
    }
}
