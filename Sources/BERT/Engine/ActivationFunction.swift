import Kernels

// What the feed-forward layer and the masked-language head apply between their matrices: GELU or ReLU.
extension LanePass {
    /// `pre [rows, width] += bias`, then `into = f(pre)`.
    func activate(rows: Int, bias: Range<Int>, _ pre: Matrix, into activation: Matrix) {
        let (width, bias) = (activation.width, parameters + bias.lowerBound)
        engine.measure(.gelu, floats: 3 * rows * width) {
            switch configuration.activation {
            case .gelu: kernels.bias_gelu(rows, width, activation.stride, bias, pre.start, activation.start)
            case .relu: kernels.bias_relu(rows, width, activation.stride, bias, pre.start, activation.start)
            }
        }
        engine.countZeros(.activations, rows: rows, activation)
    }

    /// `gradient [rows, width] *= f'(pre)`; `pre` becomes `f(pre)`; column sums of the gradient are added to `bias`.
    func activateBackward(rows: Int, _ pre: Matrix, _ gradient: Matrix, bias: Floats) {
        let width = gradient.width
        engine.measure(.geluBackward, floats: 4 * rows * width) {
            switch configuration.activation {
            case .gelu: kernels.gelu_backward(rows, width, gradient.stride, pre.start, gradient.start, bias)
            case .relu: kernels.relu_backward(rows, width, gradient.stride, pre.start, gradient.start, bias)
            }
        }
    }
}
