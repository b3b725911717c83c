import Deployment
import Foundation
import Jobs
import Testing

@Suite("What Kubernetes is given")
struct KubernetesOverlayTests {
    private func settings(
        workers: Int = 3, image: String = "registry.example.org:5000/lab/wafermark:0.1.0", namespace: String = "lab",
        cores: String = "1.5", storageClass: String? = "nfs"
    ) -> KubernetesOverlay.Settings {
        KubernetesOverlay.Settings(
            workers: workers, image: image, namespace: namespace, cores: cores, memory: .mebibytes(2_048),
            storageClass: storageClass)
    }

    private func kustomization(_ settings: KubernetesOverlay.Settings) throws -> String {
        try #require(try KubernetesOverlay(job: "name: x\n", settings: settings).files["kustomization.yaml"])
    }

    @Test("the overlay holds the package's manifests as they are, and the job as it is")
    func files() throws {
        let files = try KubernetesOverlay(job: "name: x\n", settings: settings()).files
        #expect(files["job.yaml"] == "name: x\n")
        for (name, text) in KubernetesOverlay.base { #expect(files["base/" + name] == text) }
        #expect(
            !files.keys.contains { $0.hasPrefix("keys") }, "keys are made by whoever writes the files, with their modes"
        )
    }

    @Test("what deploy/kubernetes shows is what the program has")
    func shown() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("deploy/kubernetes")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.resolvingSymlinksInPath().path)
        #expect(Set(names) == Set(KubernetesOverlay.base.keys))
        for (name, text) in KubernetesOverlay.base {
            #expect(try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8) == text, "\(name)")
        }
    }

    @Test("workers, their resources, and what submits them agree")
    func workers() throws {
        let text = try kustomization(settings())
        for part in [
            "/spec/completions, value: 3}", "/spec/parallelism, value: 3}", "--workers=3", "minAvailable, value: 2}",
            "requests/cpu, value: \"1.5\"}", "limits/memory, value: 2048Mi}", "namespace: lab",
            "storageClassName, value: \"nfs\"",
        ] { #expect(text.contains(part), "\(part)") }
        #expect(try !kustomization(settings(storageClass: nil)).contains("storageClassName"))
        #expect(try kustomization(settings(workers: 1)).contains("minAvailable, value: 1}"))
    }

    @Test(
        "an image's reference is taken apart as Kustomize has it",
        arguments: [
            ("wafermark", "newName: wafermark\n    newTag: latest"),
            ("wafermark:0.1.0", "newName: wafermark\n    newTag: \"0.1.0\""),
            ("host:5000/wafermark", "newName: host:5000/wafermark\n    newTag: latest"),
            ("host:5000/a/b:1", "newName: host:5000/a/b\n    newTag: \"1\""),
            ("a/b@sha256:0f", "newName: a/b\n    digest: \"sha256:0f\""),
        ])
    func image(reference: String, expected: String) throws {
        let text = try kustomization(settings(image: reference))
        #expect(text.contains(expected), "\(text)")
    }

    @Test("B16: a setting that YAML would read as more than a word is refused, by its option")
    func injections() throws {
        let bad = [
            ("--namespace", settings(namespace: "a\nb: c")), ("--namespace", settings(namespace: "")),
            ("--namespace", settings(namespace: "Lab")), ("--image", settings(image: "a b")),
            ("--image", settings(image: "a\n- x")), ("--image", settings(image: "")),
            ("--cpu", settings(cores: "1\"}")), ("--cpu", settings(cores: "0")), ("--cpu", settings(cores: "nan")),
            ("--storage-class", settings(storageClass: "x\"")),
        ]
        for (option, settings) in bad {
            let error = #expect(throws: KubernetesOverlay.Violation.self) {
                _ = try KubernetesOverlay(job: "", settings: settings)
            }
            #expect(error?.option == option)
        }
    }
}
