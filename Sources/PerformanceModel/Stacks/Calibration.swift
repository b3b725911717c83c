/// All fitted constants together: what a fit returns and a prediction starts from.
public struct Calibration: Hashable, Sendable, Codable {
    /// Software stacks, sorted by name.
    public var stacks: [SoftwareStack]
    /// What they share, and the hardware's own.
    public var shared: SharedConstants

    /// A calibration of the given parts.
    public init(stacks: [SoftwareStack], shared: SharedConstants) {
        self.stacks = stacks
        self.shared = shared
    }

    /// The stack of that name.
    public func stack(_ name: String) throws(PerformanceModelError) -> SoftwareStack {
        guard let stack = stacks.first(where: { $0.name == name }) else {
            throw .unknownName(kind: "software stack", name: name, known: stacks.map(\.name))
        }
        return stack
    }

    /// The constants for `setup` under `stack`.
    public func constants(for setup: ClusterSetup, stack: SoftwareStack) -> StepConstants {
        let matrixShare =
            stack.efficiency[setup.precision]?.matrixShare.value ?? shared.typicalMatrixShare[setup.precision] ?? 0.5
        return StepConstants(
            matrixShare: matrixShare * (shared.speed[setup.hardware]?.value ?? 1),
            traffic: shared.elementwiseTraffic.value, updateTraffic: shared.updateTraffic.value,
            launchSeconds: (stack.launchMicroseconds ?? shared.launchMicroseconds).value * 1e-6,
            negotiationSeconds: shared.negotiationMicroseconds.value * 1e-6,
            overlappedExchangeRate: min(1, shared.overlappedExchangeRate.value),
            hostSecondsPerKernel: shared.hostMicrosecondsPerKernel.value * 1e-6,
            deviceSpeedSpread: shared.deviceSpeedSpread.value,
            busShare: shared.busShare[setup.machine.fabric]?.value ?? 0.85,
            // Stacks that exchange after accumulation add in the gradients' own format (PyTorch's .grad); Horovod's
            // recipes and the rest add in f32 variables.
            accumulatorBytes: stack.exchange == .afterAccumulation
                ? Double(stack.gradientBytes(setup.precision)) : 4, exchange: stack.exchange,
            bucketBytes: stack.bucketMebibytes * 1_048_576,
            gradientBytes: Double(stack.gradientBytes(setup.precision)))
    }

    /// Why a prediction of `setup` lies outside what the rows covered; empty where it doesn't.
    public func extrapolations(for setup: ClusterSetup, stack: SoftwareStack) -> [String] {
        var reasons: [String] = []
        if stack.efficiency[setup.precision] == nil {
            reasons.append("no row of \(stack.name) in \(setup.precision.rawValue)")
        }
        if shared.speed[setup.hardware] == nil { reasons.append("no row on \(setup.hardware)") }
        if setup.nodes > 1, shared.busShare[setup.machine.fabric] == nil {
            reasons.append("no row over several nodes of \(setup.machine.fabric)")
        }
        if setup.ranks > shared.mostDevices {
            reasons.append("\(setup.ranks) devices; rows reach \(shared.mostDevices)")
        }
        let sequence = setup.template.workload.sequence
        if !stack.range.sequence.contains(sequence) {
            reasons.append(
                "sequence \(sequence); rows have \(stack.range.sequence.lowerBound) to \(stack.range.sequence.upperBound)"
            )
        }
        // Twice the largest and half the smallest micro-batch still count as seen: times are smooth there.
        let tokens = stack.range.tokens
        if setup.tokens * 2 < tokens.lowerBound || setup.tokens > tokens.upperBound * 2 {
            reasons.append(
                "\(setup.tokens) tokens in a micro-batch; rows have \(tokens.lowerBound) to \(tokens.upperBound)")
        }
        if let reason = stack.range.extrapolation(ofAccumulation: setup.accumulation) { reasons.append(reason) }
        return reasons
    }
}

extension CalibratedRange {
    /// Why steps of that many micro-batches are beyond the rows; nil where they aren't.
    ///
    /// Rows that never accumulate don't tell what a micro-batch costs apart from its step; rows that always do hide what a
    /// step costs besides its micro-batches.
    fileprivate func extrapolation(ofAccumulation count: Int) -> String? {
        if count > 1, accumulation.upperBound == 1 { return "\(count) micro-batches a step; rows have one" }
        if count == 1, accumulation.lowerBound > 1 {
            return "one micro-batch a step; rows have \(accumulation.lowerBound) to \(accumulation.upperBound)"
        }
        return nil
    }
}

extension Calibration {
    /// The stack of that name, or a typical one for a name that nothing is known of: its whole gradient exchanged after
    /// the last micro-batch where the name is PyTorch's, in buckets during the backward pass elsewhere.
    public func stackOrTypical(_ name: String) -> SoftwareStack {
        if let stack = stacks.first(where: { $0.name == name }) { return stack }
        return SoftwareStack(
            name: name, title: "\(name): not calibrated",
            exchange: name.hasPrefix("pytorch") ? .afterAccumulation : .duringBackward, bucketMebibytes: 64,
            halfGradientBytes: 2, source: "assumed: nothing is known of this stack", efficiency: [:],
            launchMicroseconds: nil,
            range: CalibratedRange(
                rows: 0, hardware: [], sequence: 128...512, tokens: 1024...16384,
                accumulation: ClusterSetup.accumulationRange))
    }
}
