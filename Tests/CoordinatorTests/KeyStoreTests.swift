import Coordinator
import Foundation
import Jobs
import Messaging
import Testing
import Wire

@Suite("Keys on disk")
struct KeyStoreTests {
    /// A folder that goes away with the test.
    private final class Folder {
        let path = "/tmp/wm-keys-\(UInt32.random(in: .min ... .max))"
        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false) }
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    private func mode(of path: String) throws -> UInt16 {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber).uint16Value
    }

    @Test("a key that is made is let in, can be read back from its file, and is let in no more once it is revoked")
    func life() throws {
        let folder = try Folder()
        let store = KeyStore(directory: folder.path + "/keys")
        #expect(throws: KeyError.none(directory: store.directory)) { _ = try store.serverKey() }
        let now = Date(timeIntervalSince1970: 1_764_158_400)
        let made = try store.create(name: "alice", role: .submit, now: now)
        _ = try store.create(name: "node-7.worker", role: .worker, now: now)
        try made.write(to: folder.path + "/alice.key")
        let read = try ClientKey(contentsOf: folder.path + "/alice.key")
        #expect(read.name == "alice" && read.role == .submit)
        #expect(read.curve.keys.publicKey == made.curve.keys.publicKey)
        #expect(read.curve.server == (try store.serverKey().publicKey))
        #expect(try store.list().map(\.name) == ["alice", "node-7.worker"])
        #expect(try store.list().first?.created == now)
        try store.revoke("alice")
        #expect(try store.list().map(\.name) == ["node-7.worker"])
        #expect(throws: KeyError.unknown(name: "alice")) { try store.revoke("alice") }
    }

    @Test("files are their owner's alone, and a secret half is in its own file and nowhere else")
    func modes() throws {
        let folder = try Folder()
        let store = KeyStore(directory: folder.path + "/keys")
        let key = try store.create(name: "a", role: .observe)
        try key.write(to: folder.path + "/a.key")
        #expect(try mode(of: store.directory) == 0o700)
        for file in ["/keys/server.key", "/keys/clients", "/a.key"] {
            #expect(try mode(of: folder.path + file) == 0o600, "\(file)")
        }
        let list = try String(contentsOfFile: store.directory + "/clients", encoding: .utf8)
        #expect(!list.contains(key.curve.keys.secretKey.exposedText))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: store.directory).sorted() == ["clients", "server.key"])
        #expect(throws: KeyError.self) { try key.write(to: folder.path + "/a.key") }
    }

    @Test(
        "a file that others may read is refused, and the error tells the mode and no secret",
        arguments: [0o640, 0o604, 0o660, 0o644, 0o601])
    func exposed(mode: Int) throws {
        let folder = try Folder()
        let store = KeyStore(directory: folder.path + "/keys")
        let key = try store.create(name: "a", role: .observe)
        let path = folder.path + "/a.key"
        try key.write(to: path)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        let error = #expect(throws: KeyError.exposed(path: path, mode: UInt32(mode))) {
            _ = try ClientKey(contentsOf: path)
        }
        #expect(error?.description.contains(key.curve.keys.secretKey.exposedText) == false)
        let server = store.directory + "/server.key"
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: server)
        #expect(throws: KeyError.exposed(path: server, mode: UInt32(mode))) { _ = try store.serverKey() }
    }

    @Test("another user's file is refused", .enabled(if: geteuid() == 0, "only root can give a file away"))
    func foreign() throws {
        let folder = try Folder()
        let path = folder.path + "/a.key"
        try KeyStore(directory: folder.path + "/keys").create(name: "a", role: .observe).write(to: path)
        try #require(chown(path, 12_345, 12_345) == 0)
        #expect(throws: KeyError.foreign(path: path, owner: 12_345)) { _ = try ClientKey(contentsOf: path) }
    }

    @Test("B1: a damaged key file is refused by its line, without its text")
    func damaged() throws {
        let folder = try Folder()
        let path = folder.path + "/a.key"
        let key = try KeyStore(directory: folder.path + "/keys").create(name: "a", role: .observe)
        try key.write(to: path)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let secret = key.curve.keys.secretKey.exposedText
        let other = try CurveKeyPair.generate().secretKey.exposedText
        let damages = [
            "", "x", text.replacing("wafermark-key 1", with: "wafermark-key 2"),
            text.replacing("role observe", with: "role root"),
            text.replacing("public ", with: "public"), text.replacing(secret, with: String(secret.dropLast())),
            text.replacing(secret, with: other), text + "secret \(secret)\n", text.replacing("server ", with: "srv "),
        ]
        for damage in damages {
            try PrivateFile.write(damage, to: path, replaces: true)
            let error = #expect(throws: KeyError.self, "\(damage.prefix(40))") { _ = try ClientKey(contentsOf: path) }
            let words = error?.description ?? ""
            #expect(words.contains(path))
            #expect(!words.contains(secret) && !words.contains(other) && !words.contains(secret.dropLast()))
        }
    }

    @Test(
        "B1: a damaged list lets nobody in and says where",
        arguments: ["a submit\n", "a root KEY 1\n", "# x\na b c d e\n"])
    func damagedList(text: String) throws {
        let folder = try Folder()
        let store = KeyStore(directory: folder.path + "/keys")
        _ = try store.create(name: "a", role: .observe)
        try PrivateFile.write(text, to: store.directory + "/clients", replaces: true)
        let error = #expect(throws: KeyError.self) { _ = try store.list() }
        #expect(error?.description.contains("/clients:") == true)
    }

    @Test(
        "B16: a name that could be taken for something else is refused",
        arguments: ["", "-x", ".", "a b", "a\nb", "../a", "é", String(repeating: "a", count: 65)])
    func names(name: String) throws {
        let folder = try Folder()
        let store = KeyStore(directory: folder.path + "/keys")
        #expect(throws: KeyError.name(name)) { _ = try store.create(name: name, role: .observe) }
        #expect(!store.isThere)
    }

    @Test("a name is given once")
    func taken() throws {
        let folder = try Folder()
        let store = KeyStore(directory: folder.path + "/keys")
        _ = try store.create(name: "a", role: .observe)
        #expect(throws: KeyError.taken(name: "a")) { _ = try store.create(name: "a", role: .submit) }
    }

    @Test("what each role may")
    func roles() throws {
        let run = try #require(RunID("0123wxyz"))
        let launch = ClientRequest.launch(LaunchRequest(job: "", backend: .wafer, workers: 1, hardware: nil))
        let changes: [ClientRequest] = [launch, .cancel(run), .delete(run), .resume(run, workers: nil)]
        let looks: [ClientRequest] = [.document(.list), .document(.show("0")), .document(.events("0"))]
        for role in ClientRole.allCases {
            #expect(role.permits(.ping))
            for request in changes { #expect(role.permits(request) == (role == .submit), "\(role)") }
            for request in looks { #expect(role.permits(request) == (role != .worker), "\(role)") }
            #expect(role.permits(.work) == (role == .worker))
        }
    }
}
