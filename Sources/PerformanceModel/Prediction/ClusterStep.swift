#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The time of a step on a cluster, and its parts, in seconds.
public struct ClusterStep: Hashable, Sendable {
    /// Matrix products, element-wise traffic and kernel launches of all micro-batches on a typical device.
    public var compute: BlockTime
    /// Waiting for the slowest device.
    public var waiting: Double
    /// Host work that devices of a node contend for.
    public var host: Double
    /// Gradient exchange that nothing hides.
    public var exposed: Double
    /// All transfers, hidden or not.
    public var exchange: Double
    /// The optimizer.
    public var update: Double

    /// The whole step.
    public var total: Double { compute.total + waiting + host + exposed + update }

    /// The step of `setup` under `constants`.
    ///
    /// All but the last micro-batch compute and nothing else; the last is replayed together with the exchange. With
    /// accumulation, gradients are exchanged after it, as `allreduce_post_accumulation` does.
    public init(_ setup: ClusterSetup, _ constants: StepConstants) {
        func time(_ block: BlockCost) -> BlockTime {
            block.time(
                matrixShare: constants.matrixShare, traffic: constants.traffic, launchSeconds: constants.launchSeconds)
        }
        let layers = Double(setup.template.workload.model.layers)
        let (layerForward, layerBackward) = (time(setup.layerForward), time(setup.layerBackward))
        let (heads, embeddingsBackward) = (time(setup.heads), time(setup.embeddingsBackward))
        let forward = time(setup.embeddingsForward) + layerForward * layers
        let micro = forward + heads + layerBackward * layers + embeddingsBackward
        let slowest = SlowestDevice.factor(count: setup.ranks, spread: constants.deviceSpeedSpread)
        compute = micro * Double(setup.accumulation)
        waiting = compute.total * (slowest - 1)
        host = setup.devicesPerNode > 1 ? constants.hostSecondsPerMicroBatch * Double(setup.accumulation) : 0
        update = setup.updateSeconds * constants.updateTraffic
        guard setup.ranks > 1 else {
            (exposed, exchange) = (0, 0)
            return
        }
        let link = AllReduceTime(
            setup.machine, ranks: setup.ranks, nodes: setup.nodes, busShare: constants.busShare)
        let whole = Double(setup.template.parameterCount) * constants.gradientBytes
        let buckets = setup.accumulation > 1 ? .afterAccumulation : constants.exchange
        // A gradient is copied into the message and out of it: read and written twice.
        let copies = 4 * whole / setup.memoryBytesPerSecond
        switch buckets {
        case .afterAccumulation:
            exchange = link.seconds(whole)
            exposed = exchange + copies
        case .duringBackward:
            var segments = [StepReplay.Segment(seconds: (forward + heads).total * slowest)]
            segments.reserveCapacity(setup.template.workload.model.layers + 2)
            for _ in 0..<setup.template.workload.model.layers {
                segments.append(.init(seconds: layerBackward.total * slowest))
            }
            segments.append(.init(seconds: embeddingsBackward.total * slowest))
            exchange = Self.fillBuckets(&segments, setup.template, constants, link)
            exposed = StepReplay(exchangeRate: constants.overlappedExchangeRate).run(segments).exposed + copies
        }
        if constants.exchange == .duringBackward {
            let doublings = log2(Double(setup.ranks) / 2)
            exposed +=
                constants.exchangeSecondsPerTensor * Double(setup.template.tensorCount)
                * (1 + constants.exchangeGrowthPerDoubling * doublings)
        }
    }

    /// Joins completed parameters to buckets of the stack's size, and returns the seconds of all transfers.
    private static func fillBuckets(
        _ segments: inout [StepReplay.Segment], _ template: StepTemplate, _ constants: StepConstants,
        _ link: AllReduceTime
    ) -> Double {
        var (waiting, sum) = (0.0, 0.0)
        for index in segments.indices {
            let parameters =
                index == 0
                ? template.headParameters
                : (index == segments.count - 1 ? template.embeddingParameters : template.layerParameters)
            waiting += Double(parameters) * constants.gradientBytes
            guard waiting >= constants.bucketBytes || index == segments.count - 1 else { continue }
            let messages = constants.bucketBytes > 0 ? max(1, (waiting / constants.bucketBytes).rounded(.down)) : 1
            let seconds = messages * link.seconds(waiting / messages)
            segments[index].exchangeSeconds = seconds
            sum += seconds
            waiting = 0
        }
        return sum
    }
}
