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
        var micro = forward + heads + layerBackward * layers + embeddingsBackward
        if setup.accumulation > 1 { micro = micro + Self.accumulating(setup, constants) }
        let slowest = SlowestDevice.factor(count: setup.ranks, spread: constants.deviceSpeedSpread)
        compute = micro * Double(setup.accumulation)
        waiting = compute.total * (slowest - 1)
        host =
            setup.devicesPerNode > 1
            ? constants.hostSecondsPerKernel * setup.kernels * Double(setup.accumulation) : 0
        update = setup.updateSeconds * constants.updateTraffic
        let parts = ExchangeParts(setup, constants)
        exchange = parts.all
        exposed = parts.exposed
    }

    /// Adding a micro-batch's gradient to the sum: two reads and a write of every element.
    static func accumulating(_ setup: ClusterSetup, _ constants: StepConstants) -> BlockTime {
        let bytes = 3 * Double(setup.template.parameterCount) * constants.accumulatorBytes
        return BlockTime(memory: bytes / setup.memoryBytesPerSecond)
    }
}
