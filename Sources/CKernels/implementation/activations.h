// Bias, GELU and tanh over rows, forward and backward.

static void add_bias(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, const float *bias, float *values) {
    for (ptrdiff_t row = 0; row < rows; row++, values += stride)
        WM_ROW(width, { STORE(values, LOAD(values) + LOAD(bias)); })
}

// Four rows at a time, so that the sums are loaded and stored once for four.
static void column_sum(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, const float *values, float *sums) {
    ptrdiff_t row = 0;
    for (; row + 4 <= rows; row += 4, values += 4 * stride)
        WM_ROW(width, {
            const vf upper = LOAD(values) + LOAD(values + stride);
            const vf lower = LOAD(values + 2 * stride) + LOAD(values + 3 * stride);
            STORE(sums, LOAD(sums) + (upper + lower));
        })
    for (; row < rows; row++, values += stride) WM_ROW(width, { STORE(sums, LOAD(sums) + LOAD(values)); })
}

// Phi(x), the normal distribution function: gelu(x) = x Phi(x) (Hendrycks and Gimpel 2016).
WM_INLINE vf normal_distribution(vf x) { return verf(x * 0.70710678118654752f) * 0.5f + 0.5f; }

static void bias_gelu(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, const float *bias, float *pre,
                      float *activation) {
    for (ptrdiff_t row = 0; row < rows; row++, pre += stride, activation += stride)
        WM_ROW(width, {
            const vf x = LOAD(pre) + LOAD(bias);
            STORE(pre, x);
            STORE(activation, x * normal_distribution(x));
        })
}

static void gelu_backward(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, float *pre, float *gradient,
                          float *bias_gradient) {
    for (ptrdiff_t row = 0; row < rows; row++, pre += stride, gradient += stride)
        WM_ROW(width, {
            const vf x = LOAD(pre);
            const vf phi = normal_distribution(x);
            const vf density = vexp(x * x * -0.5f) * 0.39894228040143268f;
            const vf product = LOAD(gradient) * (x * density + phi);
            STORE(pre, x * phi);
            STORE(gradient, product);
            STORE(bias_gradient, LOAD(bias_gradient) + product);
        })
}

// What is no number stays so, as in PyTorch: training must see it.
WM_INLINE vf relu(vf x) { return choose(x <= (vf){}, (vf){}, x); }

static void bias_relu(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, const float *bias, float *pre,
                      float *activation) {
    for (ptrdiff_t row = 0; row < rows; row++, pre += stride, activation += stride)
        WM_ROW(width, {
            const vf x = LOAD(pre) + LOAD(bias);
            STORE(pre, x);
            STORE(activation, relu(x));
        })
}

static void relu_backward(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, float *pre, float *gradient,
                          float *bias_gradient) {
    for (ptrdiff_t row = 0; row < rows; row++, pre += stride, gradient += stride)
        WM_ROW(width, {
            const vf x = LOAD(pre);
            const vf product = (vf)((vi)LOAD(gradient) & ~(x <= (vf){}));
            STORE(pre, relu(x));
            STORE(gradient, product);
            STORE(bias_gradient, LOAD(bias_gradient) + product);
        })
}

static void bias_tanh(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, const float *bias, float *values) {
    for (ptrdiff_t row = 0; row < rows; row++, values += stride)
        WM_ROW(width, { STORE(values, vtanh(LOAD(values) + LOAD(bias))); })
}

static void tanh_backward(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, const float *values, float *gradient,
                          float *bias_gradient) {
    for (ptrdiff_t row = 0; row < rows; row++, values += stride, gradient += stride)
        WM_ROW(width, {
            const vf y = LOAD(values);
            const vf product = LOAD(gradient) * (1.0f - y * y);
            STORE(gradient, product);
            STORE(bias_gradient, LOAD(bias_gradient) + product);
        })
}
