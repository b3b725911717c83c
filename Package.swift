// swift-tools-version: 6.2
import PackageDescription

/// The floor plan: a target imports only targets listed below it. `Wafermark` is the roof.
let package = Package(
    name: "wafermark",
    products: [
        .executable(name: "wafermark", targets: ["Wafermark"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // Without its traits it needs neither configuration files nor the whole of Foundation.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0"),
    ],
    targets: [
        .executableTarget(
            name: "Wafermark",
            dependencies: [
                "Dashboard", "Coordinator", "Cluster", "Wafer", "Report", "PerformanceModel", "Runs", "Training",
                "BERT", "Corpus", "Deployment", "Wire",
                "Jobs", "Kernels", "Messaging", "CZeroMQ", "CProtobufC", .argumentParser, .logging, .serviceLifecycle,
            ]),
        .target(
            name: "Dashboard",
            dependencies: [
                "Coordinator", "Report", "PerformanceModel", "Runs", "Jobs", "Digests", .hummingbird, .logging,
                .serviceLifecycle,
            ], resources: [.embedInCode("Resources")]),
        .target(
            name: "Deployment", dependencies: ["Jobs"],
            resources: [.embedInCode("Resources")]),
        .target(
            name: "Coordinator",
            dependencies: [
                "Cluster", "Wafer", "Report", "PerformanceModel", "Runs", "Training", "Corpus", "Jobs", "Wire",
                "Messaging", "Kernels", "Digests", "CCores", .logging, .serviceLifecycle, .subprocess, .system,
            ]),
        .target(
            name: "Cluster",
            dependencies: [
                "Training", "BERT", "Corpus", "PerformanceModel", "Jobs", "Wire", "Messaging", "Kernels", "CZeroMQ",
                .logging,
                .subprocess, .system,
            ]),
        .target(name: "Wafer", dependencies: ["Training", "PerformanceModel", "Jobs"]),
        .target(
            name: "Report", dependencies: ["PerformanceModel", "Runs", "Jobs"],
            resources: [.embedInCode("Resources")]),
        .target(
            name: "PerformanceModel", dependencies: ["Jobs", .yams],
            resources: [.embedInCode("Resources")]),
        .target(name: "Runs", dependencies: ["Jobs", "Digests", .grdb, .system]),
        .target(name: "Training", dependencies: ["BERT", "Corpus", "Jobs", "Kernels", "Digests", .system]),
        .target(name: "BERT", dependencies: ["Kernels", .system]),
        .target(name: "Corpus", dependencies: ["Jobs", "Digests", "CCorpusData", "CZlib", .system]),
        .target(
            name: "Jobs", dependencies: ["Digests", .yams],
            resources: [.embedInCode("Resources")]),

        .target(name: "Messaging", dependencies: ["CZeroMQ", .logging]),
        .target(name: "Wire", dependencies: ["Jobs", "CWire", "CProtobufC"]),
        .target(name: "Digests", dependencies: ["CLibCrypto"]),
        .target(name: "Kernels", dependencies: ["CKernels", "COneDNN", "CSharedMemory"]),

        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off"])]),
        .target(name: "CSharedMemory"),
        .target(name: "CCores"),
        .target(name: "CCorpusData", exclude: ["Resources"]),
        .target(name: "CWire", dependencies: ["CProtobufC"]),
        .systemLibrary(name: "CZeroMQ", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(name: "CProtobufC", pkgConfig: "libprotobuf-c", providers: [.apt(["libprotobuf-c-dev"])]),
        .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
        .systemLibrary(name: "CLibCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        .testTarget(name: "DigestsTests", dependencies: ["Digests"]),
        .testTarget(name: "JobsTests", dependencies: ["Jobs", "Digests"]),
        .testTarget(name: "KernelsTests", dependencies: ["Kernels", "CKernels"]),
        .testTarget(name: "BERTTests", dependencies: ["BERT", "Kernels"]),
        .testTarget(name: "CorpusTests", dependencies: ["Corpus", "Digests", "Jobs"]),
        .testTarget(
            name: "TrainingTests", dependencies: ["Training", "BERT", "Corpus", "Jobs", "Kernels"],
            resources: [.embedInCode("Fixtures")]),
        .testTarget(name: "MessagingTests", dependencies: ["Messaging", "Wire", "Jobs"]),
        .testTarget(
            name: "ClusterTests",
            dependencies: ["Cluster", "PerformanceModel", "Messaging", "Wire", "Kernels", "Jobs"]),
        .testTarget(name: "RunsTests", dependencies: ["Runs", "Jobs", .grdb]),
        .testTarget(
            name: "ReportTests", dependencies: ["Report", "PerformanceModel", "Runs", "Jobs"], exclude: ["Fixtures"]),
        .testTarget(name: "DeploymentTests", dependencies: ["Deployment", "Jobs"]),
        .testTarget(name: "PerformanceModelTests", dependencies: ["PerformanceModel", "Jobs"]),
        .testTarget(
            name: "CoordinatorTests",
            dependencies: [
                "Coordinator", "Cluster", "Report", "PerformanceModel", "Runs", "Wire", "Messaging", "Jobs",
            ]),
        .testTarget(
            name: "DashboardTests", dependencies: ["Dashboard", "Coordinator", "Report", "Runs", "Jobs", .hummingbird]),
        .testTarget(name: "WafermarkTests", dependencies: ["Wafermark", "Coordinator", "Report", "Runs", "Jobs"]),
        .testTarget(
            name: "IntegrationTests",
            dependencies: ["TestSupport", "Wafermark", "Coordinator", "Report", "Corpus", "Digests", "Runs", "Jobs"]),
        .target(name: "TestSupport", path: "Tests/TestSupport"),
    ]
)

// B17: decoders under libFuzzer. `deploy/fuzz` alone builds them, because all that they use needs to be built with coverage.
if Context.environment["WAFERMARK_FUZZ"] != nil {
    // GNU gold ends with an internal error over the sanitizers' many symbols.
    let linker: [LinkerSetting] = [.unsafeFlags(["-use-ld=lld"])]
    package.targets += [
        .target(name: "FuzzDriver", path: "Tests/Fuzz/Driver"),
        .executableTarget(
            name: "FuzzDecoders",
            dependencies: [
                "FuzzDriver", "Wire", "BERT", "Corpus", "Training", "PerformanceModel", "Jobs", "Digests",
            ], path: "Tests/Fuzz/Decoders", linkerSettings: linker),
        .executableTarget(
            name: "FuzzRequests",
            dependencies: ["FuzzDriver", "Dashboard", "Coordinator", "Runs", "Jobs", .hummingbird, .logging],
            path: "Tests/Fuzz/Requests", linkerSettings: linker),
    ]
}

// What ThreadSanitizer doesn't see by itself; `deploy/sanitize` alone builds it, into everything.
if Context.environment["WAFERMARK_SANITIZER"] == "thread" {
    package.targets.append(
        .target(
            name: "CSanitizers", path: "Tests/Sanitizers", exclude: ["thread.suppressions", "address.suppressions"]))
    package.targets.first { $0.name == "Jobs" }?.dependencies.append("CSanitizers")
}

extension Target.Dependency {
    static let argumentParser = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let grdb = product(name: "GRDB", package: "GRDB.swift")
    static let hummingbird = product(name: "Hummingbird", package: "hummingbird")
    static let logging = product(name: "Logging", package: "swift-log")
    static let serviceLifecycle = product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let subprocess = product(name: "Subprocess", package: "swift-subprocess")
    static let system = product(name: "SystemPackage", package: "swift-system")
    static let yams = product(name: "Yams", package: "Yams")
}
