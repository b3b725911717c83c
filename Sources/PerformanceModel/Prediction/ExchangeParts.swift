#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension ClusterStep {
    /// The gradient exchange of a step, in seconds.
    struct ExchangeParts: Hashable, Sendable {
        /// All transfers, hidden or not.
        var all = 0.0
        /// Transfers that no computing hides.
        var transfers = 0.0
        /// Copying gradients into messages and out of them.
        var copies = 0.0
        /// Tensors that devices agree on one by one, and what that costs.
        var negotiatedTensors = 0.0
        var negotiation = 0.0
        /// How often one device doubles to all of them: the levels of a tree over them.
        var doublings = 0.0
        /// Whether buckets leave during the backward pass.
        var isOverlapped = false
        /// How the largest message is exchanged.
        var algorithm = AllReduceTime.Algorithm.ring

        /// Exchange that nothing hides.
        var exposed: Double { transfers + onDevice }
        /// What the device itself does for the exchange.
        var onDevice: Double { copies + negotiation }

        /// The exchange of `setup` under `constants`; nothing for a single rank.
        init(_ setup: ClusterSetup, _ constants: StepConstants) {
            guard setup.ranks > 1 else { return }
            let link = AllReduceTime(
                setup.machine, ranks: setup.ranks, nodes: setup.nodes, busShare: constants.busShare)
            let whole = Double(setup.template.parameterCount) * constants.gradientBytes
            isOverlapped = setup.accumulation == 1 && constants.exchange == .duringBackward
            // A gradient is copied into the message and out of it: read and written twice.
            copies = 4 * whole / setup.memoryBytesPerSecond
            if isOverlapped {
                (transfers, all) = Self.overlapped(setup, constants, link)
                algorithm = link.chosenAlgorithm(constants.bucketBytes > 0 ? constants.bucketBytes : whole)
            } else {
                all = link.seconds(whole)
                transfers = all
                algorithm = link.chosenAlgorithm(whole)
            }
            doublings = log2(Double(setup.ranks))
            if constants.exchange == .duringBackward {
                negotiatedTensors = Double(setup.template.tensorCount)
                negotiation = constants.negotiationSeconds * negotiatedTensors * doublings
            }
        }

        /// Replays the only micro-batch with its buckets: transfers that nothing hides, and all transfers.
        private static func overlapped(
            _ setup: ClusterSetup, _ constants: StepConstants, _ link: AllReduceTime
        ) -> (exposed: Double, all: Double) {
            func time(_ block: BlockCost) -> Double {
                block.time(
                    matrixShare: constants.matrixShare, traffic: constants.traffic,
                    launchSeconds: constants.launchSeconds
                ).total * SlowestDevice.factor(count: setup.ranks, spread: constants.deviceSpeedSpread)
            }
            let layers = setup.template.workload.model.layers
            let forward = time(setup.embeddingsForward) + Double(layers) * time(setup.layerForward) + time(setup.heads)
            let backward = time(setup.layerBackward)
            var segments = [StepReplay.Segment(seconds: forward)]
            segments.reserveCapacity(layers + 2)
            for _ in 0..<layers { segments.append(.init(seconds: backward)) }
            segments.append(.init(seconds: time(setup.embeddingsBackward)))
            let all = fillBuckets(&segments, setup.template, constants, link)
            return (StepReplay(exchangeRate: constants.overlappedExchangeRate).run(segments).exposed, all)
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
                let messages =
                    constants.bucketBytes > 0 ? max(1, (waiting / constants.bucketBytes).rounded(.down)) : 1
                let seconds = messages * link.seconds(waiting / messages)
                segments[index].exchangeSeconds = seconds
                sum += seconds
                waiting = 0
            }
            return sum
        }
    }
}
