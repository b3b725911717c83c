import Coordinator
import Foundation
import Hummingbird
import Jobs
import PerformanceModel
import Runs

/// What the routes work with: the runs' records, and the daemon that changes them.
package struct RunDesk: Sendable {
    let store: RunStore
    let client: DaemonClient
    let state: StateDirectory
    /// Floor plans of the reports that were asked for.
    let plans = PlanMemory()

    /// A desk of the runs in `store`, which a daemon keeps in `state`.
    package init(store: RunStore, state: StateDirectory) {
        self.store = store
        self.client = DaemonClient(state: state)
        self.state = state
    }

    /// The run that the request's path names, by its id or a beginning of it.
    func run(named context: BasicRequestContext) throws -> RunID {
        try store.id(startingWith: context.parameters.require("run"))
    }
}

extension Response {
    /// A response with `data` of the given type.
    init(_ status: HTTPResponse.Status = .ok, type: String, _ data: Data) {
        self.init(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
    }

    /// A JSON document that is there already.
    static func document(_ data: Data) -> Response { Response(type: "application/json", data) }

    /// `value` as JSON.
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
        Response(status, type: "application/json", try DashboardJSON.encode(value))
    }
}

/// The form of JSON of the dashboard's own documents: one line, snake_case keys, times of day in ISO 8601.
enum DashboardJSON {
    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        return try encoder.encode(value)
    }

    /// What `data` says.
    ///
    /// - Throws: `HTTPError` 400, which names the key at fault.
    static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(type, from: data)
        } catch let error as DecodingError {
            throw HTTPError(.badRequest, message: message(of: error))
        }
    }

    private static func message(of error: DecodingError) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.isEmpty ? "the body" : "'" + path.map(\.stringValue).joined(separator: ".") + "'"
        }
        return switch error {
        case .keyNotFound(let key, _): "the body lacks '\(key.stringValue)'"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(place(context.codingPath)): \(context.debugDescription)"
        case .dataCorrupted(let context): "\(place(context.codingPath)) is no JSON: \(context.debugDescription)"
        @unknown default: "the body can't be read"
        }
    }
}
