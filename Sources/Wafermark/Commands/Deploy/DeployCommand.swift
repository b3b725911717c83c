import ArgumentParser
import Coordinator
import Deployment
import Foundation
import Jobs

/// `wafermark deploy`: what a site's own scheduler needs to run a job.
struct DeployCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy", abstract: "Write what a site's scheduler needs to run a job.",
        subcommands: [DeployKubernetesCommand.self])
}

/// `wafermark deploy kubernetes`.
struct DeployKubernetesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubernetes", abstract: "Write a job's coordinator and workers as a Kustomize overlay.",
        discussion: """
            The folder that it makes holds the manifests, the job, and new keys for its
            coordinator, its workers and whoever submits. Apply it with
            'kubectl apply -k FOLDER'. A job that names text must name it under /data,
            which is the folder data of the shared volume.
            """)

    @Argument(help: "The job file (YAML).")
    var job: String

    @Option(help: ArgumentHelp("The new folder that takes everything.", valueName: "dir"))
    var out: String

    @Option(help: ArgumentHelp("The container image, with its tag or digest.", valueName: "image"))
    var image = "wafermark:\(Program.version)"

    @Option(help: ArgumentHelp("Worker pods, at most the job's lanes.", valueName: "n"))
    var workers = 4

    @Option(help: ArgumentHelp("The namespace.", valueName: "name"))
    var namespace = "wafermark"

    @Option(help: ArgumentHelp("Cores that each worker requests.", valueName: "n"))
    var cpu = "2"

    @Option(help: ArgumentHelp("Memory that each worker gets.", valueName: "MiB"))
    var memoryMebibytes = 4_096

    @Option(
        help: ArgumentHelp("The class of the volume that all share, which must offer ReadWriteMany.", valueName: "name")
    )
    var storageClass: String?

    func validate() throws {
        guard (64...16_777_216).contains(memoryMebibytes) else {
            throw ValidationError("--memory-mebibytes is \(memoryMebibytes); 64 to 16777216 are allowed")
        }
    }

    func run() throws {
        // Text is looked for where the job is submitted, which is not here.
        let text = try String(contentsOf: URL(fileURLWithPath: job), encoding: .utf8)
        let parsed = try JobFile.parse(text, name: job, files: .unchecked)
        try JobRequirements.check(workers: workers, of: parsed)
        let overlay: KubernetesOverlay
        do {
            overlay = try KubernetesOverlay(
                job: text,
                settings: KubernetesOverlay.Settings(
                    workers: workers, image: image, namespace: namespace, cores: cpu,
                    memory: .mebibytes(memoryMebibytes), storageClass: storageClass))
        } catch {
            throw CommandFailure.wrongUsage("\(error)")
        }
        guard mkdir(out, 0o700) == 0 else {
            throw CommandFailure.wrongUsage("\(out) can't be made: \(String(cString: strerror(errno)))")
        }
        for (path, content) in overlay.files {
            let file = URL(fileURLWithPath: out).appendingPathComponent(path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(content.utf8).write(to: file)
        }
        let folder = out + "/" + KubernetesOverlay.keyFolder
        let keys = KeyStore(directory: folder)
        for (name, role) in [("submit", ClientRole.submit), ("worker", .worker)] {
            try keys.create(name: name, role: role).write(to: "\(folder)/\(name).key")
        }
        Console.print("written to \(out), with keys; apply it with: kubectl apply -k \(out)")
    }
}
