extension Calibration {
    /// The priors alone, over the stacks of `stacks`: where a fit starts.
    public static func priors(stacks: [SoftwareStack]) -> Calibration {
        func constant(_ id: FittedConstant) -> Constant { id.priorConstant }
        return Calibration(
            stacks: stacks,
            shared: SharedConstants(
                elementwiseTraffic: constant(.elementwiseTraffic), updateTraffic: constant(.updateTraffic),
                negotiationMicroseconds: constant(.negotiation),
                overlappedExchangeRate: constant(.overlappedExchangeRate),
                hostMicrosecondsPerKernel: constant(.hostPerKernel),
                deviceSpeedSpread: constant(.deviceSpeedSpread), speed: [:], busShare: [:],
                typicalMatrixShare: Dictionary(
                    uniqueKeysWithValues: Precision.allCases.map {
                        ($0, FittedConstant.matrixShare(stack: "", precision: $0).prior.value)
                    }),
                launchMicroseconds: constant(.commonLaunch), mostDevices: 1,
                interval: .init(
                    oneDevicePercent: 8, oneNodePercent: 10, severalNodesPercent: 15,
                    unknownStackPercent: 40, extrapolatedFactor: 1.5)))
    }
}

extension FittedConstant {
    /// The prior as a constant that no row has narrowed.
    var priorConstant: Constant {
        Constant(value: prior.value, errorPercent: 100 * prior.deviation, determined: 0)
    }
}
