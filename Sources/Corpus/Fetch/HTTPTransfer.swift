import Foundation
import Jobs
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Why a transfer ended without all its bytes.
enum TransferFault: Error, Equatable {
    /// The server answered with a status that isn't a success.
    case status(Int, retryAfterSeconds: Double?)
    /// The connection failed, or broke off.
    case connection(String)
    /// Nothing came for so long.
    case stalled(seconds: Double)
    /// The server sent more than any such file has.
    case tooLong(limit: Int)
    /// The server led to an address that isn't safe to follow.
    case redirect(String)

    /// Whether another try may help.
    var isTransient: Bool {
        switch self {
        case .status(let code, _): code == 408 || code == 425 || code == 429 || code >= 500
        case .connection, .stalled: true
        case .tooLong, .redirect: false
        }
    }
}

/// How a server's answer begins.
struct TransferHead: Equatable {
    /// The HTTP status.
    var status: Int
    /// The first byte of the whole that the answer holds: from `Content-Range`, else 0.
    var start: Int
    /// The size of the whole; nil where the server doesn't say.
    var total: Int?
}

/// HTTP transfers, one at a time, whose bytes are handed on as they come. Blocking; for threads of their own.
final class HTTPTransfers: Sendable {
    /// What is sent as `User-Agent`, so that a server's keeper knows whom to ask.
    static let userAgent = "wafermark-corpus-fetch"

    private let configuration: @Sendable () -> URLSessionConfiguration
    private let stallSeconds: Double

    /// - Parameter stallSeconds: after so long without a byte a transfer is given up.
    init(stallSeconds: Double) {
        self.stallSeconds = stallSeconds
        configuration = {
            let configuration = URLSessionConfiguration.ephemeral
            configuration.httpMaximumConnectionsPerHost = 1
            configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
            configuration.urlCache = nil
            configuration.httpCookieStorage = nil
            // Waits are watched here; the session's own limit is only the last resort.
            configuration.timeoutIntervalForRequest = 10 * stallSeconds + 60
            return configuration
        }
    }

    /// Gets `url`, from byte `offset` on where that is above 0.
    ///
    /// - Parameters:
    ///   - head: told how the answer begins, if its status is a success; what it throws ends the transfer.
    ///   - body: given the bytes, in order; what it throws ends the transfer.
    /// - Throws: `TransferFault`, what `head` and `body` throw, `CorpusError.cancelled`.
    func get(
        _ url: URL, from offset: Int = 0, isCancelled: () -> Bool,
        head: @escaping @Sendable (TransferHead) throws -> Void, body: @escaping @Sendable (Data) throws -> Void
    ) throws {
        var request = URLRequest(url: url)
        request.setValue(Self.userAgent, forHTTPHeaderField: "User-Agent")
        // The bytes are wanted as they lie on the server: a checksum is of those.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        if offset > 0 { request.setValue("bytes=\(offset)-", forHTTPHeaderField: "Range") }
        let receiver = Receiver(head: head, body: body)
        let session = URLSession(configuration: configuration(), delegate: receiver, delegateQueue: nil)
        defer { session.invalidateAndCancel() }
        let task = session.dataTask(with: request)
        task.resume()
        while true {
            if let end = receiver.wait(seconds: 0.05) {
                try end.get()
                return
            }
            let fault: (any Error)? =
                isCancelled()
                ? CorpusError.cancelled
                : receiver.idleSeconds > stallSeconds ? TransferFault.stalled(seconds: stallSeconds) : nil
            if let fault {
                receiver.end(.failure(fault))
                task.cancel()
            }
        }
    }

    /// Gets `url` whole, which has at most `limit` bytes.
    func data(_ url: URL, limit: Int, isCancelled: () -> Bool) throws -> Data {
        let data = Mutex(Data())
        try get(url, isCancelled: isCancelled) { _ in
        } body: { bytes in
            try data.withLock { data in
                guard data.count + bytes.count <= limit else { throw TransferFault.tooLong(limit: limit) }
                data.append(bytes)
            }
        }
        return data.withLock { $0 }
    }
}

/// Takes what a session says of one transfer.
private final class Receiver: NSObject, URLSessionDataDelegate, Sendable {
    private struct State {
        var outcome: Result<Void, any Error>?
        var last = ContinuousClock.now
    }

    private let head: @Sendable (TransferHead) throws -> Void
    private let body: @Sendable (Data) throws -> Void
    private let state = Mutex(State())
    private let ended = MonotonicSemaphore(value: 0)

    init(head: @escaping @Sendable (TransferHead) throws -> Void, body: @escaping @Sendable (Data) throws -> Void) {
        self.head = head
        self.body = body
    }

    /// Waits for the transfer's end for at most so long.
    func wait(seconds: Double) -> Result<Void, any Error>? {
        if let outcome = state.withLock({ $0.outcome }) { return outcome }
        _ = ended.wait(timeout: .now() + seconds)
        return state.withLock { $0.outcome }
    }

    /// Time since something came.
    var idleSeconds: Double { (ContinuousClock.now - state.withLock { $0.last }) / .seconds(1) }

    /// Ends the transfer, unless it has ended. The first outcome stays.
    func end(_ result: Result<Void, any Error>) {
        state.withLock { if $0.outcome == nil { $0.outcome = result } }
        ended.signal()
    }

    /// Runs `work` unless the transfer is over; once `end` has returned, none of it is under way. Returns whether the
    /// transfer goes on.
    private func proceed(_ work: () throws -> Void) -> Bool {
        let goesOn = state.withLock { state in
            state.last = .now
            guard state.outcome == nil else { return false }
            do {
                try work()
                return true
            } catch {
                state.outcome = .failure(error)
                return false
            }
        }
        if !goesOn { ended.signal() }
        return goesOn
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        let from = response.url?.scheme?.lowercased()
        let to = request.url?.scheme?.lowercased()
        guard to == "https" || to == from else {
            end(.failure(TransferFault.redirect(request.url?.absoluteString ?? "nowhere")))
            completionHandler(nil)
            return
        }
        completionHandler(request)
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        let goesOn = proceed {
            guard let response = response as? HTTPURLResponse else {
                throw TransferFault.connection("the answer isn't HTTP")
            }
            guard (200...299).contains(response.statusCode) else {
                let wait = response.value(forHTTPHeaderField: "Retry-After").flatMap { Double($0) }
                throw TransferFault.status(response.statusCode, retryAfterSeconds: wait)
            }
            try head(Self.head(of: response))
        }
        completionHandler(goesOn ? .allow : .cancel)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        if !proceed({ try body(data) }) { dataTask.cancel() }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        if let error {
            end(.failure(TransferFault.connection((error as? URLError)?.words ?? "\(error)")))
        } else {
            end(.success(()))
        }
    }

    private static func head(of response: HTTPURLResponse) -> TransferHead {
        var head = TransferHead(status: response.statusCode, start: 0, total: nil)
        let length = response.value(forHTTPHeaderField: "Content-Length").flatMap { Int($0) }
        if response.statusCode == 206,
            let match = response.value(forHTTPHeaderField: "Content-Range")?
                .wholeMatch(of: /bytes (\d+)-(\d+)\/(\d+|\*)/)
        {
            head.start = Int(match.1) ?? 0
            head.total = Int(match.3) ?? length.map { $0 + head.start }
        } else {
            head.total = length
        }
        return head
    }
}

extension URLError {
    /// What went wrong, in a few words.
    fileprivate var words: String {
        switch code {
        case .timedOut: "the server didn't answer in time"
        case .cannotFindHost, .dnsLookupFailed: "the host's name isn't known"
        case .cannotConnectToHost: "the host takes no connection"
        case .networkConnectionLost: "the connection broke off"
        case .secureConnectionFailed, .serverCertificateUntrusted, .serverCertificateHasBadDate:
            "no secure connection: \(localizedDescription)"
        case .notConnectedToInternet: "there is no network"
        default: "\(localizedDescription) (\(code.rawValue))"
        }
    }
}
