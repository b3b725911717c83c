/// A constant that a fit determines, with what is known of it beforehand.
public enum FittedConstant: Hashable, Sendable {
    /// Share of peak of a stack's matrix products at a precision.
    case matrixShare(stack: String, precision: Precision)
    /// Microseconds of a kernel besides its work, by stack.
    case launch(stack: String)
    /// The same for every stack whose rows don't tell its own.
    case commonLaunch
    /// A hardware profile's speed against its stated rates.
    case speed(hardware: String)
    /// A fabric's share of the stated network bus bandwidth.
    case busShare(fabric: String)
    /// Shared by all: see `SharedConstants`.
    case elementwiseTraffic
    case updateTraffic
    case negotiation
    case overlappedExchangeRate
    case hostPerKernel
    case deviceSpeedSpread

    /// Whether it is a stack's share of peak: what no prior can stand in for.
    public var isMatrixShare: Bool { if case .matrixShare = self { true } else { false } }

    /// The name in a report.
    public var name: String {
        switch self {
        case .matrixShare(let stack, let precision): "\(stack) \(precision.rawValue) matrix_share"
        case .launch(let stack): "\(stack) launch_microseconds"
        case .commonLaunch: "launch_microseconds"
        case .speed(let hardware): "\(hardware) speed"
        case .busShare(let fabric): "\(fabric) bus_share"
        case .elementwiseTraffic: "elementwise_traffic"
        case .updateTraffic: "update_traffic"
        case .negotiation: "negotiation_microseconds"
        case .overlappedExchangeRate: "overlapped_exchange_rate"
        case .hostPerKernel: "host_microseconds_per_kernel"
        case .deviceSpeedSpread: "device_speed_spread"
        }
    }

    /// What is known before any row is seen: a typical value, and the standard deviation of its logarithm.
    ///
    /// Sources: shares of peak that cuBLAS reaches on large products (V100 and A100 white papers, NVIDIA's deep-learning
    /// performance guide); kernel launches of 4 to 10 us (NVIDIA, "Getting started with CUDA graphs", 2019); DGX-2H 22 %
    /// faster than DGX-2 (published runs of one container); bus bandwidth in training below nccl-tests' (NCCL issues); 2.3 us
    /// a kernel are 4 ms a micro-batch of BERT-Large, whose 1,743 kernels eight processes of a DGX-1 start side by side.
    /// Assumed, and wide for it: 33 us of negotiation, a tenth of a millisecond for a tensor among eight devices.
    public var prior: (value: Double, deviation: Double) {
        switch self {
        case .matrixShare(_, .fp32): (0.88, 0.2)
        case .matrixShare(_, .tf32): (0.65, 0.2)
        case .matrixShare(_, .fp16): (0.53, 0.3)
        case .launch, .commonLaunch: (6, 0.7)
        case .speed(hardware: "dgx2-v100"): (1.06, 0.04)
        case .speed(hardware: "dgx2h-v100"): (1.06 * 1.22 * 1.53 / 1.7, 0.03)
        case .speed: (1, 0.04)
        case .busShare: (0.85, 0.3)
        case .elementwiseTraffic: (0.6, 0.2)
        case .updateTraffic: (0.78, 0.1)
        case .negotiation: (33, 0.7)
        case .overlappedExchangeRate: (0.5, 0.3)
        case .hostPerKernel: (2.3, 0.5)
        case .deviceSpeedSpread: (0.01, 0.7)
        }
    }

    /// Whether it moves the time of `row`.
    func moves(_ row: PublishedCase, fabric: String, exchange: SoftwareStack.Exchange) -> Bool {
        switch self {
        case .matrixShare(let stack, let precision): row.stack == stack && row.precision == precision
        case .launch(let stack): row.stack == stack
        case .commonLaunch: true
        case .speed(let hardware): row.hardware == hardware
        case .busShare(let name): row.nodes > 1 && name == fabric
        case .elementwiseTraffic, .updateTraffic: true
        case .negotiation: row.ranks > 1 && exchange == .duringBackward
        case .overlappedExchangeRate: row.ranks > 1 && exchange == .duringBackward && row.accumulation == 1
        case .hostPerKernel: row.devicesPerNode > 1
        case .deviceSpeedSpread: row.ranks > 1
        }
    }
}
