extension Explanation {
    /// A cluster's step, taken apart down to hardware figures and fitted constants.
    static func step(_ setup: ClusterSetup, stack: SoftwareStack, calibration: Calibration) -> Explanation {
        let constants = calibration.constants(for: setup, stack: stack)
        let parts = StepParts(setup: setup, stack: stack, calibration: calibration, constants: constants)
        let step = ClusterStep(setup, constants)
        return Explanation(
            "step_seconds", "one optimizer step", step.total, "s",
            "compute_seconds + waiting_seconds + exposed_communication_seconds + optimizer_seconds",
            [
                parts.compute(step), parts.waiting(step), parts.exchange(step), parts.optimizer(step),
            ])
    }
}

/// The parts of a step's explanation.
private struct StepParts {
    let setup: ClusterSetup
    let stack: SoftwareStack
    let calibration: Calibration
    let constants: StepConstants

    private var shared: SharedConstants { calibration.shared }

    // MARK: Given values

    private func fitted(_ constant: Constant, of what: String) -> String {
        constant.determined == 0
            ? "prior of \(what): no row determines it"
            : "fitted on published rows (\(what)), standard error "
                + "\(Int(constant.errorPercent.rounded())) %"
    }

    private func given(_ name: String, _ title: String, _ figure: Figure, _ unit: String) -> Explanation {
        Explanation(name, title, figure.value, unit, source: figure.source)
    }

    private func count(_ name: String, _ title: String, _ value: Int) -> Explanation {
        Explanation(name, title, Double(value), "", source: "the job and its layout")
    }

    private var matrixShare: Explanation {
        let own = stack.efficiency[setup.precision]?.matrixShare
        let speed = shared.speed[setup.hardware]
        return Explanation(
            "matrix_share", "share of the stated matrix rate that large products reach", constants.matrixShare, "",
            "stack_share * hardware_speed",
            [
                Explanation(
                    "stack_share", "the stack's share at \(setup.precision.rawValue)",
                    own?.value ?? shared.typicalMatrixShare[setup.precision] ?? 0.5, "",
                    source: own.map { fitted($0, of: stack.name) } ?? "typical: no row of \(stack.name)"),
                Explanation(
                    "hardware_speed", "sustained speed against the stated one", speed?.value ?? 1, "",
                    source: speed.map { fitted($0, of: setup.hardware) } ?? "1: no row on \(setup.hardware)"),
            ])
    }

    private var traffic: Explanation {
        Explanation(
            "elementwise_traffic", "share of the traffic with every operation a kernel of its own",
            constants.traffic, "", source: fitted(shared.elementwiseTraffic, of: "all stacks"))
    }

    private var launch: Explanation {
        let constant = stack.launchMicroseconds ?? shared.launchMicroseconds
        return Explanation(
            "launch_seconds", "a kernel's cost besides its work", constants.launchSeconds, "s",
            source: fitted(constant, of: stack.launchMicroseconds == nil ? "all stacks" : stack.name))
    }

    private var memoryRate: Explanation {
        Explanation(
            "memory_bytes_per_second", "what streaming kernels reach", setup.memoryBytesPerSecond, "B/s",
            "stated_gigabytes_per_second * 1000000000 * streaming_share",
            [
                given(
                    "stated_gigabytes_per_second", "stated memory bandwidth", setup.machine.memoryGigabytesPerSecond,
                    "GB/s"),
                Explanation(
                    "streaming_share", "share that STREAM-like kernels reach", SharedConstants.memoryShare, "",
                    source: "Jia et al. 2018, arXiv 1804.06826"),
            ])
    }

    // MARK: Parts

    private func block(_ name: String, _ title: String, _ cost: BlockCost) -> Explanation {
        let time = cost.time(
            matrixShare: constants.matrixShare, traffic: constants.traffic, launchSeconds: constants.launchSeconds)
        var terms: [String] = []
        var inputs = [matrixShare]
        for (index, product) in cost.products.enumerated() {
            terms.append("\(Int(product.count)) * max(product\(index)_compute / matrix_share, product\(index)_memory)")
            inputs += [
                Explanation(
                    "product\(index)_compute", "tiles of the product at the stated rate", product.compute, "s",
                    source: "MatrixProductTime: tile and wave quantisation over "
                        + "\(Int(setup.machine.multiprocessors.value)) multiprocessors"),
                Explanation(
                    "product\(index)_memory", "both factors and the result through memory once", product.memory, "s",
                    source: "shape and memory bandwidth"),
            ]
        }
        let matrix = Explanation(
            "matrix_seconds", "matrix products", time.matrix, "s", terms.isEmpty ? "0" : terms.joined(separator: " + "),
            terms.isEmpty ? [] : inputs)
        let memory = Explanation(
            "elementwise_seconds", "element-wise kernels", time.memory, "s", "unfused_seconds * elementwise_traffic",
            [
                Explanation(
                    "unfused_seconds", "traffic with every operation a kernel of its own", cost.unfusedSeconds, "s",
                    source: "BERTGraph: elements read and written, over memory bandwidth"), traffic,
            ])
        let starts = Explanation(
            "kernel_seconds", "kernels besides their work", time.launch, "s", "kernels * launch_seconds",
            [
                Explanation(
                    "kernels", "kernels of the block", cost.kernels, "", source: "BERTGraph: operators of the block"),
                launch,
            ])
        return Explanation(
            name, title, time.total, "s", "matrix_seconds + elementwise_seconds + kernel_seconds",
            [matrix, memory, starts])
    }

    private var micro: Explanation {
        func time(_ cost: BlockCost) -> Double {
            cost.time(
                matrixShare: constants.matrixShare, traffic: constants.traffic, launchSeconds: constants.launchSeconds
            ).total
        }
        let adding =
            setup.accumulation > 1 ? ClusterStep.accumulating(setup, constants).memory : 0
        let layers = Double(setup.template.workload.model.layers)
        let value =
            time(setup.embeddingsForward) + layers * (time(setup.layerForward) + time(setup.layerBackward))
            + time(setup.heads) + time(setup.embeddingsBackward) + adding
        return Explanation(
            "micro_batch_seconds", "forward and backward pass of a micro-batch", value, "s",
            "embeddings_forward + layers * (layer_forward + layer_backward) + heads + embeddings_backward + accumulating",
            [
                count("layers", "encoder layers", setup.template.workload.model.layers),
                block("embeddings_forward", "embeddings", setup.embeddingsForward),
                block("layer_forward", "an encoder layer, forward", setup.layerForward),
                block("heads", "masked-token and next-sentence heads, both ways", setup.heads),
                block("layer_backward", "an encoder layer, backward", setup.layerBackward),
                block("embeddings_backward", "gradient of the embeddings", setup.embeddingsBackward),
                Explanation(
                    "accumulating", "adding the gradient to the sum", adding, "s",
                    source: "two reads and a write of every element where there is more than one micro-batch"),
            ])
    }

    func compute(_ step: ClusterStep) -> Explanation {
        Explanation(
            "compute_seconds", "forward and backward passes, host work included", step.compute.total + step.host, "s",
            "accumulation * (micro_batch_seconds + host_seconds)",
            [
                count("accumulation", "micro-batches of a step", setup.accumulation), micro,
                Explanation(
                    "host_seconds", "host work of a micro-batch where devices share a host",
                    setup.devicesPerNode > 1 ? constants.hostSecondsPerKernel * setup.kernels : 0, "s",
                    "kernels * host_seconds_per_kernel",
                    [
                        Explanation(
                            "kernels", "kernels of a micro-batch", setup.kernels, "",
                            source: "BERTGraph, every element-wise operation a kernel of its own"),
                        Explanation(
                            "host_seconds_per_kernel", "contention of processes that share a host, each kernel",
                            setup.devicesPerNode > 1 ? constants.hostSecondsPerKernel : 0, "s",
                            source: setup.devicesPerNode > 1
                                ? fitted(shared.hostMicrosecondsPerKernel, of: "all stacks")
                                : "one device a host: none"),
                    ]),
            ])
    }

    func waiting(_ step: ClusterStep) -> Explanation {
        Explanation(
            "waiting_seconds", "waiting for the slowest device", step.waiting, "s",
            "typical_seconds * device_speed_spread * expected_extreme",
            [
                Explanation(
                    "typical_seconds", "passes of a typical device", step.compute.total, "s",
                    "accumulation * micro_batch_seconds",
                    [count("accumulation", "micro-batches of a step", setup.accumulation), micro]),
                Explanation(
                    "device_speed_spread", "coefficient of variation of device speeds", constants.deviceSpeedSpread,
                    "", source: fitted(shared.deviceSpeedSpread, of: "all stacks")),
                Explanation(
                    "expected_extreme", "expected largest of \(setup.ranks) standard normal draws",
                    SlowestDevice.factor(count: setup.ranks, spread: 1) - 1, "",
                    source: "Blom 1958: quantile at (n - 3/8) / (n + 1/4)"),
            ])
    }

    func exchange(_ step: ClusterStep) -> Explanation {
        let parts = ClusterStep.ExchangeParts(setup, constants)
        let whole = Double(setup.template.parameterCount) * constants.gradientBytes
        let transfers = Explanation(
            "exposed_transfer_seconds", "transfers that no computing hides", parts.transfers, "s",
            source: parts.isOverlapped
                ? "StepReplay: buckets of \(Int(constants.bucketBytes)) bytes during the backward pass, at "
                    + "\(constants.overlappedExchangeRate) of their speed while the device computes"
                : "AllReduceTime: \(Int(whole)) bytes over \(setup.ranks) devices on \(setup.nodes) nodes, "
                    + "the faster of ring and tree, \(parts.algorithm.rawValue)")
        return Explanation(
            "exposed_communication_seconds", "gradient exchange that nothing hides", step.exposed, "s",
            "exposed_transfer_seconds + copy_passes * gradient_bytes / memory_bytes_per_second + tensors * "
                + "negotiation_seconds * doublings",
            [
                transfers,
                Explanation(
                    "copy_passes", "into the message and out of it, read and written each",
                    setup.ranks > 1 ? 4 : 0, "", source: "one rank has no message"),
                Explanation(
                    "gradient_bytes", "bytes of the gradient", whole, "B",
                    source: "\(setup.template.parameterCount) parameters of \(Int(constants.gradientBytes)) bytes"),
                memoryRate,
                Explanation(
                    "tensors", "tensors that devices agree on one by one", parts.negotiatedTensors, "",
                    source: "stacks that exchange during the backward pass negotiate each; others send one message"),
                Explanation(
                    "negotiation_seconds", "cost of a tensor and doubling besides the transfer",
                    constants.negotiationSeconds, "s",
                    source: fitted(shared.negotiationMicroseconds, of: "all stacks")),
                Explanation(
                    "doublings", "levels of a tree over the devices", parts.doublings, "", "log2(devices)",
                    [count("devices", "devices in all", setup.ranks)]),
            ])
    }

    func optimizer(_ step: ClusterStep) -> Explanation {
        Explanation(
            "optimizer_seconds", "the update of the weights", step.update, "s",
            "update_elements * 4 / memory_bytes_per_second * update_traffic",
            [
                Explanation(
                    "update_elements", "f32 elements read and written, unfused",
                    setup.template.update.unfusedElements, "",
                    source: "BERTGraph: passes of \(setup.template.workload.optimizer.rawValue) over "
                        + "\(setup.template.parameterCount) parameters"), memoryRate,
                Explanation(
                    "update_traffic", "share of the unfused traffic", constants.updateTraffic, "",
                    source: fitted(shared.updateTraffic, of: "all stacks")),
            ])
    }
}
