import Jobs

/// What one job needs on Kubernetes: the package's manifests, and a Kustomize overlay that fills in the job, its workers, its
/// image and its keys.
public struct KubernetesOverlay: Sendable {
    /// What is asked of a cluster.
    public struct Settings: Sendable {
        /// Worker pods.
        public var workers: Int
        /// The container image with its tag or digest, and the namespace.
        public var image: String
        public var namespace: String
        /// What each worker requests: cores as Kubernetes writes them, and mebibytes.
        public var cores: String
        public var memory: Bytes
        /// The storage class of what coordinator and workers share; nil for the cluster's own.
        public var storageClass: String?

        /// Settings of the given parts.
        public init(
            workers: Int, image: String, namespace: String, cores: String, memory: Bytes, storageClass: String?
        ) {
            self.workers = workers
            self.image = image
            self.namespace = namespace
            self.cores = cores
            self.memory = memory
            self.storageClass = storageClass
        }
    }

    /// A setting that no cluster takes.
    public struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
        public var option: String
        public var found: String
        public var allowed: String
        public var description: String {
            "\(option) is \(PrintableText.quoted(found, limit: 128)); \(allowed)"
        }
    }

    /// The folder of the keys, beside the overlay.
    public static let keyFolder = "keys"
    private let settings: Settings
    private let job: String

    /// The overlay of `job`, the text of a job file.
    ///
    /// - Throws: `Violation`.
    public init(job: String, settings: Settings) throws(Violation) {
        func check(_ option: String, _ found: String, _ isAllowed: Bool, _ allowed: String) throws(Violation) {
            guard isAllowed else { throw Violation(option: option, found: found, allowed: allowed) }
        }
        try check(
            "--namespace", settings.namespace, Self.isLabel(settings.namespace),
            "a name of a-z, 0-9 and '-' is allowed, 63 characters at most")
        if let name = settings.storageClass {
            try check(
                "--storage-class", name, name.split(separator: ".").allSatisfy { Self.isLabel(String($0)) },
                "a name of a-z, 0-9, '-' and '.' is allowed")
        }
        // What the reference of an image can hold; nothing that YAML would read as more than a word.
        try check(
            "--image", settings.image,
            !settings.image.isEmpty
                && settings.image.utf8.allSatisfy { Self.isAlphanumeric($0) || ".-_/:@".utf8.contains($0) },
            "an image's name with a tag or digest is allowed, such as registry.example.org/wafermark:0.1.0")
        try check(
            "--cpu", settings.cores, Double(settings.cores).map { $0 > 0 && $0 <= 1_024 } == true,
            "a number of cores above 0 is allowed")
        self.settings = settings
        self.job = job
    }

    /// Every file of the overlay, by its path within it. The keys' folder is not among them.
    public var files: [String: String] {
        var files = Self.base.reduce(into: [String: String]()) { $0["base/" + $1.key] = $1.value }
        files["job.yaml"] = job
        files["kustomization.yaml"] = kustomization
        return files
    }

    /// The package's manifests, by the names of their files.
    public static var base: [String: String] {
        func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
        return [
            "kustomization.yaml": text(PackageResources.kustomization_yaml),
            "namespace.yaml": text(PackageResources.namespace_yaml),
            "storage.yaml": text(PackageResources.storage_yaml),
            "coordinator.yaml": text(PackageResources.coordinator_yaml),
            "submit.yaml": text(PackageResources.submit_yaml),
            "workers.yaml": text(PackageResources.workers_yaml),
            "network-policy.yaml": text(PackageResources.network_policy_yaml),
            "disruption.yaml": text(PackageResources.disruption_yaml),
        ]
    }

    private var kustomization: String {
        let (name, reference) = imageReference
        let storage =
            settings.storageClass.map { storageClass in
                """

                  - target: {kind: PersistentVolumeClaim, name: wafermark-shared}
                    patch: |-
                      - {op: add, path: /spec/storageClassName, value: "\(storageClass)"}
                """
            } ?? ""
        return """
            # Written by 'wafermark deploy kubernetes'. Apply it with: kubectl apply -k .
            # The folder keys holds secrets: keep it from others, and out of version control.
            apiVersion: kustomize.config.k8s.io/v1beta1
            kind: Kustomization
            namespace: \(settings.namespace)
            resources:
              - base
            images:
              - name: wafermark
                newName: \(name)
                \(reference)
            configMapGenerator:
              - name: wafermark-job
                files: [job.yaml]
            secretGenerator:
              - name: wafermark-coordinator
                files: [\(Self.keyFolder)/server.key, \(Self.keyFolder)/clients]
              - name: wafermark-submit
                files: [\(Self.keyFolder)/submit.key]
              - name: wafermark-worker
                files: [\(Self.keyFolder)/worker.key]
            patches:
              - target: {kind: Job, name: wafermark-worker}
                patch: |-
                  - {op: replace, path: /spec/completions, value: \(settings.workers)}
                  - {op: replace, path: /spec/parallelism, value: \(settings.workers)}
                  - {op: replace, path: /spec/template/spec/containers/0/resources/requests/cpu, value: "\(settings.cores)"}
                  - {op: replace, path: /spec/template/spec/containers/0/resources/requests/memory, value: \(memory)}
                  - {op: replace, path: /spec/template/spec/containers/0/resources/limits/memory, value: \(memory)}
              - target: {kind: Job, name: wafermark-submit}
                patch: |-
                  - {op: replace, path: /spec/template/spec/containers/0/args/5, value: "--workers=\(settings.workers)"}
              - target: {kind: PodDisruptionBudget, name: wafermark-worker}
                patch: |-
                  - {op: replace, path: /spec/minAvailable, value: \(max(1, settings.workers - 1))}\(storage)

            """
    }

    private var memory: String { "\(max(1, settings.memory.count >> 20))Mi" }

    /// The image's name, and its tag or digest as Kustomize has them.
    private var imageReference: (name: String, reference: String) {
        if let at = settings.image.firstIndex(of: "@") {
            return (
                String(settings.image[..<at]), "digest: \"\(settings.image[settings.image.index(after: at)...])\""
            )
        }
        let lastPart = settings.image.lastIndex(of: "/") ?? settings.image.startIndex
        if let colon = settings.image[lastPart...].lastIndex(of: ":") {
            return (
                String(settings.image[..<colon]), "newTag: \"\(settings.image[settings.image.index(after: colon)...])\""
            )
        }
        return (settings.image, "newTag: latest")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    /// Whether `text` is a label of RFC 1123.
    private static func isLabel(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count) && !text.hasPrefix("-") && !text.hasSuffix("-")
            && text.utf8.allSatisfy { Self.isAlphanumeric($0) && !(0x41...0x5A).contains($0) || $0 == 0x2D }
    }
}
