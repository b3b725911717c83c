/// What a block of operators costs on a device, before the stack's efficiency is applied: computed once a shape.
public struct BlockCost: Hashable, Sendable {
    /// A matrix product: seconds at the full rate, and seconds that its memory traffic takes at least.
    public struct Product: Hashable, Sendable {
        var compute: Double
        var memory: Double
        var count: Double
    }

    /// The matrix products.
    public var products: [Product] = []
    /// Seconds of the element-wise traffic with every operation a kernel of its own.
    public var unfusedSeconds = 0.0
    /// Kernels, fused as mixed-precision training of 2019 to 2021 did: products, and one in two element-wise ones.
    public var kernels = 0.0

    /// The cost of `operators` on `device`.
    public init(_ operators: [Operator], on device: DeviceRates) {
        for next in operators {
            switch next.work {
            case .matrixProduct(let m, let n, let k, let batch):
                let product = Product(
                    compute: MatrixProductTime.computeSeconds(m: m, n: n, k: k, batch: batch, on: device),
                    memory: MatrixProductTime.memorySeconds(m: m, n: n, k: k, batch: batch, on: device), count: 1)
                if let last = products.indices.last, products[last].compute == product.compute,
                    products[last].memory == product.memory
                {
                    products[last].count += 1
                } else {
                    products.append(product)
                }
                kernels += 1
            case .elementwise, .gather, .optimizer:
                let bytes = next.isSinglePrecision ? 4 : device.bytesPerElement
                unfusedSeconds += next.unfusedElements * bytes / device.memoryBytesPerSecond
                kernels += Double(next.unfusedKernels)
            }
        }
    }

    /// The block's parts under an efficiency.
    public func time(matrixShare: Double, traffic: Double, launchSeconds: Double) -> BlockTime {
        var matrix = 0.0
        for product in products { matrix += product.count * max(product.compute / matrixShare, product.memory) }
        return BlockTime(matrix: matrix, memory: unfusedSeconds * traffic, launch: kernels * launchSeconds)
    }
}

/// Where a block's time goes.
public struct BlockTime: Hashable, Sendable {
    /// Matrix products, element-wise traffic, and the cost of kernels besides their work, in seconds.
    public var matrix = 0.0
    /// Element-wise traffic, in seconds.
    public var memory = 0.0
    /// The cost of kernels besides their work, in seconds.
    public var launch = 0.0

    /// The sum of the parts, in seconds.
    public var total: Double { matrix + memory + launch }

    static func + (left: Self, right: Self) -> Self {
        Self(matrix: left.matrix + right.matrix, memory: left.memory + right.memory, launch: left.launch + right.launch)
    }

    static func * (left: Self, factor: Double) -> Self {
        Self(matrix: left.matrix * factor, memory: left.memory * factor, launch: left.launch * factor)
    }
}
