import Foundation
import Synchronization

/// An HTTP server on a port of its own that answers as a test says, well or badly. It ends with the object.
final class ScriptedServer: Sendable {
    /// What a client asked for.
    struct Request: Sendable {
        var path: String
        var headers: [String: String]
        /// Which request for this path it is, from 1.
        var turn: Int

        /// The first byte asked for; 0 for the whole.
        var start: Int {
            headers["range"].flatMap { $0.wholeMatch(of: /bytes=(\d+)-/) }.flatMap { Int($0.1) } ?? 0
        }
    }

    /// How it is answered.
    struct Answer: Sendable {
        var status = 200
        var headers: [String: String] = [:]
        var body = Data()
        /// After so many bytes of the body the connection is closed; nil for all.
        var cutAfter: Int?
        /// After that, or in place of an answer, nothing more comes and the connection stays open.
        var stalls = false
    }

    /// The address of its root.
    let address: String
    private let descriptor: Int32
    private let log = Mutex<[Request]>([])
    private let answer: @Sendable (Request) -> Answer

    init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
        self.answer = answer
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard isListening else { throw POSIXError(.EADDRNOTAVAIL) }
        self.descriptor = descriptor
        address = "http://127.0.0.1:\(UInt16(bigEndian: name.sin_port))"
        let thread = Thread { [weak self] in
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0, let server = self else { return }
                Thread { server.serve(connection) }.start()
            }
        }
        thread.start()
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    /// The requests so far, in order.
    var requests: [Request] { log.withLock { $0 } }

    private func serve(_ connection: Int32) {
        defer { close(connection) }
        // Nothing waits for ever, whatever a test or the client does.
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard let request = read(connection) else { return }
        let answer = answer(request)
        if answer.stalls, answer.cutAfter == nil {
            waitForClose(connection)
            return
        }
        var headers = answer.headers
        if headers["Content-Length"] == nil { headers["Content-Length"] = "\(answer.body.count)" }
        headers["Connection"] = "close"
        let head = headers.map { "\($0): \($1)\r\n" }.joined()
        send(connection, Data("HTTP/1.1 \(answer.status) Scripted\r\n\(head)\r\n".utf8))
        send(connection, answer.body.prefix(answer.cutAfter ?? answer.body.count))
        if answer.stalls { waitForClose(connection) }
    }

    private func read(_ connection: Int32) -> Request? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 1 << 16 {
            let count = recv(connection, &buffer, buffer.count, 0)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
            if bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) { break }
        }
        let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
                in: .whitespaces)
        }
        let path = String(words[1])
        return log.withLock { log in
            let request = Request(path: path, headers: headers, turn: 1 + log.count { $0.path == path })
            log.append(request)
            return request
        }
    }

    private func send(_ connection: Int32, _ data: Data) {
        data.withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count, let base = bytes.baseAddress {
                let count = Foundation.send(
                    connection, base + offset, bytes.count - offset, Int32(MSG_NOSIGNAL.rawValue))
                guard count > 0 else { return }
                offset += count
            }
        }
    }

    private func waitForClose(_ connection: Int32) {
        var byte: UInt8 = 0
        while recv(connection, &byte, 1, 0) > 0 {}
    }
}
