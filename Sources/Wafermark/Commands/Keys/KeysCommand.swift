import ArgumentParser
import Coordinator
import Foundation

/// `wafermark keys`: who may reach the daemon from other hosts.
struct KeysCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Make, list and revoke the keys of those who reach the daemon from other hosts.",
        discussion: """
            A daemon that listens beyond this host takes encrypted connections of holders
            of keys alone. A key has a role: submit (launch and end runs, and look at
            them), observe (look), worker (take part in runs, and nothing else).

            The daemon keeps its own key and the public halves of the others; the file
            that 'keys new' writes holds the only copy of a secret half.
            """,
        subcommands: [KeysNewCommand.self, KeysListCommand.self, KeysRevokeCommand.self])
}

/// Where keys are.
struct KeyFolderOptions: ParsableArguments {
    @OptionGroup var state: StateOptions

    @Option(
        name: .customLong("keys"),
        help: ArgumentHelp("The folder of the daemon's keys; STATE/keys by default.", valueName: "dir"))
    var directory: String?

    /// The keys that are meant; the state directory is made where they are to lie in it.
    func store(creating: Bool = false) throws -> KeyStore {
        if let directory { return KeyStore(directory: directory) }
        if creating { try state.directory.create() }
        return state.directory.keys
    }
}

/// `wafermark keys new`.
struct KeysNewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make a key and let it in.",
        discussion: "A running daemon lets it in at once, unless this is the first key: then start the daemon again.")

    @Argument(help: "A name to know the key by.")
    var name: String

    @Option(
        help: ArgumentHelp(
            "What it is for: \(ClientRole.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "role"))
    var role: ClientRole

    @Option(help: ArgumentHelp("The new file that takes the key; NAME.key by default.", valueName: "file"))
    var out: String?

    @OptionGroup var keys: KeyFolderOptions
    @OptionGroup var output: OutputOptions

    private struct Made: Encodable {
        var name: String
        var role: String
        var publicKey: String
        var file: String
    }

    func run() throws {
        let file = out ?? "\(name).key"
        guard access(file, F_OK) != 0 else { throw KeyError.file(path: file, reason: "there is such a file already") }
        let store = try keys.store(creating: true)
        let key = try store.create(name: name, role: role)
        do {
            try key.write(to: file)
        } catch {
            // A key whose secret half nobody has is of no use.
            try store.revoke(name)
            throw error
        }
        let made = Made(
            name: name, role: role.rawValue, publicKey: key.curve.keys.publicKey.text, file: file)
        if output.json {
            try Console.printJSON(made)
        } else {
            Console.print(
                "key '\(name)' (\(role.rawValue)) is in \(file); nobody else has it: hand it over by a safe way")
        }
    }
}

/// `wafermark keys list`.
struct KeysListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the keys that are let in.")

    @OptionGroup var keys: KeyFolderOptions
    @OptionGroup var output: OutputOptions

    private struct List: Encodable {
        struct Line: Encodable {
            var name: String
            var role: String
            var publicKey: String
            var created: Date
        }
        var keys: [Line]
    }

    func run() throws {
        let list = try keys.store().list()
        if output.json {
            return try Console.printJSON(
                List(
                    keys: list.map {
                        List.Line(name: $0.name, role: $0.role.rawValue, publicKey: $0.key.text, created: $0.created)
                    }))
        }
        if list.isEmpty { Console.print("no keys; 'wafermark keys new NAME --role ROLE' makes one") }
        let width = list.map(\.name.count).max() ?? 0
        for key in list {
            let name = key.name.padding(toLength: width, withPad: " ", startingAt: 0)
            let role = key.role.rawValue.padding(toLength: 7, withPad: " ", startingAt: 0)
            Console.print("\(name)  \(role)  \(key.key)  \(key.created.formatted(.iso8601))")
        }
    }
}

/// `wafermark keys revoke`.
struct KeysRevokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Let a key in no more.",
        discussion: "A running daemon refuses its next request, and takes a worker that has it for lost.")

    @Argument(help: "The key's name.")
    var name: String

    @OptionGroup var keys: KeyFolderOptions

    func run() throws {
        try keys.store().revoke(name)
        Console.print("key '\(name)' is revoked")
    }
}

extension ClientRole: ExpressibleByArgument {}
