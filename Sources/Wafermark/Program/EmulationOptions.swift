import ArgumentParser
import Jobs

/// How a cluster's workers stand for a profile's devices.
struct EmulationOptions: ParsableArguments {
    @Flag(
        help: ArgumentHelp(
            "Let the workers take as long as the profile's devices and links would, on a slower clock.",
            discussion: "Needs --hardware. The bits stay the same."))
    var emulate = false

    @Option(
        help: ArgumentHelp(
            "How many times slower the emulated machine's clock runs: a number, or auto.",
            discussion: "auto measures in the first steps what this machine needs.", valueName: "factor"))
    var dilation = "auto"

    @Option(
        name: .customLong("inject"),
        help: ArgumentHelp(
            "Something that is wrong with the emulated machine; may be given several times.",
            discussion: """
                \(EmulatedFault.spellings). A frame that is dropped is sent again 200 ms later (Linux TCP's least \
                retransmission time-out), then twice as long each time, and what is behind it waits: TCP delivers in order.
                """, valueName: "fault"))
    var faults: [String] = []

    @Option(
        help: ArgumentHelp(
            "Stand for a network of another size: \(ModelShape.named.map(\.name).joined(separator: ", ")).",
            discussion: "The job's own network is trained; devices and links take the other one's time.",
            valueName: "size"))
    var standFor: String?

    @Option(
        help: ArgumentHelp(
            "Devices beside those of the workers: they send and take what workers would, but train nothing.",
            discussion: """
                The workers train all lanes, and each takes the time of its share among all devices. What virtual ones \
                exchange is sizes and times alone.
                """, valueName: "n"))
    var virtual: Int?

    @Option(help: ArgumentHelp("Devices used of each node; all by default.", valueName: "n"))
    var devicesPerNode: Int?

    @Option(
        help: ArgumentHelp(
            "What all nodes may send together, over what the core of the network carries; 1 by default.",
            valueName: "ratio"))
    var oversubscription = 1.0

    func validate() throws {
        guard dilation == "auto" || Double(dilation) != nil else {
            throw ValidationError("--dilation is '\(dilation)'; allowed are auto and a number")
        }
        let asksForMore =
            dilation != "auto" || !faults.isEmpty || standFor != nil || devicesPerNode != nil || oversubscription != 1
            || virtual != nil
        guard emulate || !asksForMore else {
            throw ValidationError(
                "--dilation, --inject, --stand-for, --virtual … are of an emulated run; give --emulate")
        }
    }

    /// The settings that the user means; nil for a native run.
    ///
    /// - Throws: `EmulationSettings.Violation`.
    func settings(workers: Int) throws -> EmulationSettings? {
        guard emulate else { return nil }
        let settings = EmulationSettings(
            dilation: Double(dilation), faults: try faults.map { try EmulatedFault(parsing: $0) },
            standsFor: standFor, devicesPerNode: devicesPerNode, oversubscription: oversubscription,
            virtualWorkers: virtual)
        try settings.check(workers: workers)
        return settings
    }

    /// What `options` say, with the buckets of the network that is stood for.
    func exchange(_ options: ExchangeOptions) throws -> ExchangeSettings {
        let settings = try options.settings()
        guard emulate, standFor != nil, options.bucketMebibytes == nil else { return settings }
        return try ExchangeSettings(
            algorithm: settings.algorithm, transport: settings.transport, laneShares: settings.laneShares,
            bucket: EmulationSettings.standInBucket)
    }
}
