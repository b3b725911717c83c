extension Calibration {
    /// The priors alone, over the stacks of `stacks`: where a fit starts.
    public static func priors(stacks: [SoftwareStack]) -> Calibration {
        func constant(_ id: FittedConstant) -> Constant {
            Constant(value: id.prior.value, errorPercent: 100 * id.prior.deviation, determined: 0)
        }
        return Calibration(
            stacks: stacks,
            shared: SharedConstants(
                elementwiseTraffic: constant(.elementwiseTraffic), updateTraffic: constant(.updateTraffic),
                exchangeMicrosecondsPerTensor: constant(.exchangePerTensor),
                exchangeGrowthPerDoubling: constant(.exchangeGrowth),
                overlappedExchangeRate: constant(.overlappedExchangeRate),
                hostMillisecondsPerMicroBatch: constant(.hostPerMicroBatch),
                deviceSpeedSpread: constant(.deviceSpeedSpread), speed: [:], busShare: [:],
                typicalMatrixShare: Dictionary(
                    uniqueKeysWithValues: Precision.allCases.map {
                        ($0, FittedConstant.matrixShare(stack: "", precision: $0).prior.value)
                    }),
                typicalLaunchMicroseconds: FittedConstant.launch(stack: "").prior.value, mostDevices: 1,
                interval: .init(
                    oneDevicePercent: 8, oneNodePercent: 10, severalNodesPercent: 15, extrapolatedFactor: 1.5)))
    }
}
