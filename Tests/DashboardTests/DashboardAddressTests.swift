import Coordinator
import Dashboard
import Foundation
import Testing

@Suite("Where the dashboard listens")
struct DashboardAddressTests {
    @Test(
        "A port, or a host and a port",
        arguments: [
            ("0", "127.0.0.1:0"), ("9000", "127.0.0.1:9000"), ("localhost:80", "localhost:80"),
            ("127.0.0.1:65535", "127.0.0.1:65535"),
            ("[::1]:8642", "[::1]:8642"), ("0.0.0.0:80", "0.0.0.0:80"), ("wafermark.example:1", "wafermark.example:1"),
        ])
    func accepted(text: String, address: String) throws {
        #expect(try DashboardAddress(text).description == address)
    }

    @Test(
        "No address",
        arguments: ["", ":", "port", "127.0.0.1", "127.0.0.1:", "127.0.0.1:-1", "65536", "١٢", "localhost:8x", ":8642"])
    func malformed(text: String) {
        #expect(throws: DashboardError.notAnAddress(text)) { try DashboardAddress(text) }
    }

    @Test(
        "An address that others can reach is refused without a token, and without a name",
        arguments: ["0.0.0.0:80", "[::]:80", "192.168.1.2:8642"])
    func reachable(text: String) throws {
        let address = try DashboardAddress(text)
        #expect(!address.isLoopback)
        #expect(throws: DashboardError.notLoopback(address.description)) {
            _ = try DashboardAccess(address: address, tokenFile: nil, hosts: ["x.example"])
        }
        let token = try TokenFile("0123456789abcdefghijklmnopqrstuvwxyz")
        #expect(throws: DashboardError.nameless(address.description)) {
            _ = try DashboardAccess(address: address, tokenFile: token.path, hosts: [])
        }
        _ = try DashboardAccess(address: address, tokenFile: token.path, hosts: ["x.example"])
    }

    @Test(
        "A token that could be guessed, or that would be changed on the way, is refused",
        arguments: [
            "", "short", String(repeating: "a", count: 64), "0123456789abcdef 0123456789abcdefg",
            "0123456789abcdefghijklmnopqrstuvwxyz%",
        ])
    func weakToken(text: String) throws {
        let token = try TokenFile(text)
        #expect(throws: DashboardError.weakToken(path: token.path)) {
            _ = try DashboardAccess(address: .standard, tokenFile: token.path, hosts: [])
        }
    }

    @Test("A token's file that others may read is refused")
    func exposedToken() throws {
        let token = try TokenFile("0123456789abcdefghijklmnopqrstuvwxyz", mode: 0o644)
        #expect(throws: KeyError.exposed(path: token.path, mode: 0o644)) {
            _ = try DashboardAccess(address: .standard, tokenFile: token.path, hosts: [])
        }
    }

    @Test("A request's host tells whether it was meant for this machine")
    func authority() {
        for good in ["localhost", "localhost:8642", "127.0.0.1:1", "[::1]:8642", "[::1]"] {
            #expect(DashboardAddress.isLoopback(authority: good), "\(good)")
        }
        for bad in [nil, "", "evil.example", "evil.example:8642", "127.0.0.1.evil.example", "localhost:1:evil.example"]
        {
            #expect(!DashboardAddress.isLoopback(authority: bad), "\(bad ?? "none")")
        }
    }
}

/// A file that holds a token, and goes away with the test.
private final class TokenFile {
    let path = "/tmp/wm-token-\(UInt32.random(in: .min ... .max))"

    init(_ text: String, mode: Int = 0o600) throws {
        _ = FileManager.default.createFile(atPath: path, contents: Data((text + "\n").utf8))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
