import Jobs

/// What passed an emulated fabric in its life.
public struct FabricReport: Hashable, Sendable, Codable {
    /// One link.
    public struct Link: Hashable, Sendable, Codable {
        public var name: String
        /// Bytes a second of the emulated machine.
        public var bytesPerSecond: Double
        /// Bytes of the emulated machine that it carried, and how long that kept it busy, on the emulated clock.
        public var bytes: Double
        public var busy: EmulatedSeconds
        /// How long an observer saw it busy: until what it carried was really handed on, which a late host does late.
        public var observedBusy: EmulatedSeconds
        /// The most frames that waited for it at once.
        public var deepestQueue: Int
        /// Frames that it lost, each of which was sent again.
        public var lost: Int
    }

    /// How late deliveries were.
    public struct Lateness: Hashable, Sendable, Codable {
        /// The mean and the most host seconds between a delivery's moment and its being done.
        public var mean: HostSeconds
        public var most: HostSeconds

        /// A lateness of the given parts.
        public init(mean: HostSeconds, most: HostSeconds) {
            self.mean = mean
            self.most = most
        }
    }

    /// The links.
    public var links: [Link]
    /// Frames that were delivered, and those that were refused because they came from no worker of the membership.
    public var frames: Int
    public var refused: Int
    /// How late they were.
    public var lateness: Lateness
    /// The most bytes that were held at once.
    public var mostHeld: Bytes

    /// A report of the given parts.
    public init(links: [Link], frames: Int, refused: Int, lateness: Lateness, mostHeld: Bytes) {
        self.links = links
        self.frames = frames
        self.refused = refused
        self.lateness = lateness
        self.mostHeld = mostHeld
    }

    /// The links of `plan` with what they carried.
    static func links(_ plan: FabricPlan, _ loads: [FabricQueues.Load]) -> [Link] {
        let scale = plan.dilation == 0 ? 0 : 1e-9 / plan.dilation
        return zip(plan.network.links, loads).map { link, load in
            Link(
                name: link.name, bytesPerSecond: link.bytesPerSecond, bytes: load.bytes,
                busy: EmulatedSeconds(load.busy * scale), observedBusy: EmulatedSeconds(load.observed * scale),
                deepestQueue: load.deepestQueue, lost: load.lost)
        }
    }
}
