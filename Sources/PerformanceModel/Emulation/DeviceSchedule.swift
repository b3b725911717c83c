import Jobs

/// When an emulated device would be done with each part of a step: what a worker holds its own, real parts until.
public struct DeviceSchedule: Hashable, Sendable, Codable {
    /// A stretch of computing that completes a part of the gradient.
    public struct Group: Hashable, Sendable, Codable {
        /// The share of the flat gradient that is final after it, from the front.
        public var gradientShare: Double
        /// Seconds from the step's start until it is done.
        public var seconds: Double

        /// A group of the given parts.
        public init(gradientShare: Double, seconds: Double) {
            self.gradientShare = gradientShare
            self.seconds = seconds
        }
    }

    /// The groups in the order in which they run; the last one completes the gradient.
    public var groups: [Group]
    /// Seconds from the sum over all devices to the end of the update.
    public var updateSeconds: Double

    /// A schedule of the given parts.
    public init(groups: [Group], updateSeconds: Double) {
        self.groups = groups
        self.updateSeconds = updateSeconds
    }

    /// Seconds of the forward and backward passes.
    public var computeSeconds: Double { groups.last?.seconds ?? 0 }

    /// The same on a device that takes `factor` times as long for everything.
    public func slowed(by factor: Double) -> DeviceSchedule {
        DeviceSchedule(
            groups: groups.map { Group(gradientShare: $0.gradientShare, seconds: $0.seconds * factor) },
            updateSeconds: updateSeconds * factor)
    }

    /// When the gradient is final up to the share `share`, in seconds from the step's start.
    public func seconds(untilFinal share: Double) -> Double {
        // A share that was computed from elements may miss the group's by a rounding.
        groups.first { $0.gradientShare >= share - 1e-9 }?.seconds ?? computeSeconds
    }
}

extension DeviceSchedule {
    /// The schedule of one device of `setup` under `constants`, with the same operator times as `ClusterStep`.
    ///
    /// All but the last micro-batch run first; then the last one's forward pass and heads, its layers from the last to the
    /// first, and its embeddings, each of which completes its part of the gradient. What `ClusterStep` counts as the host's
    /// share of launching kernels is spread over the operators; copying gradients into messages and out of them, and
    /// announcing them, is done by the device between the sum and the update.
    init(_ setup: ClusterSetup, _ constants: StepConstants) {
        func time(_ block: BlockCost) -> Double {
            block.time(
                matrixShare: constants.matrixShare, traffic: constants.traffic, launchSeconds: constants.launchSeconds
            ).total + (setup.devicesPerNode > 1 ? constants.hostSecondsPerKernel * block.kernels : 0)
        }
        let layers = setup.template.workload.model.layers
        let forward = time(setup.embeddingsForward) + Double(layers) * time(setup.layerForward) + time(setup.heads)
        let layer = time(setup.layerBackward)
        let embeddings = time(setup.embeddingsBackward)
        let micro = forward + Double(layers) * layer + embeddings
        let adding = setup.accumulation > 1 ? ClusterStep.accumulating(setup, constants).total : 0
        var seconds = Double(setup.accumulation - 1) * (micro + adding) + adding + forward
        let total = Double(setup.template.parameterCount)
        var elements = setup.template.headParameters
        groups = [Group(gradientShare: Double(elements) / total, seconds: seconds)]
        for _ in 0..<layers {
            seconds += layer
            elements += setup.template.layerParameters
            groups.append(Group(gradientShare: Double(elements) / total, seconds: seconds))
        }
        groups.append(Group(gradientShare: 1, seconds: seconds + embeddings))
        updateSeconds =
            setup.updateSeconds * constants.updateTraffic
            + ClusterStep.ExchangeParts(setup, constants).onDevice
    }
}
