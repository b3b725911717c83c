// Plain vectors: sums, scales, norms, and the transcendental functions by themselves.

static void add(ptrdiff_t count, const float *from, float *into) {
    WM_ROW(count, { STORE(into, LOAD(into) + LOAD(from)); })
}

static void sum(ptrdiff_t count, const float *left, const float *right, float *into) {
    WM_ROW(count, { STORE(into, LOAD(left) + LOAD(right)); })
}

static void scale(ptrdiff_t count, float factor, float *values) {
    WM_ROW(count, { STORE(values, LOAD(values) * factor); })
}

// Squares are summed in double lanes, then the lanes in order.
static double squared_norm(ptrdiff_t count, const float *values) {
    vd total = {};
    WM_ROW(count, {
        const vd value = __builtin_convertvector(LOAD(values), vd);
        total += value * value;
    })
    double result = 0;
    for (int lane = 0; lane < WM_LANES; lane++) result += total[lane];
    return result;
}

static void exponential(ptrdiff_t count, const float *from, float *into) {
    WM_ROW(count, { STORE(into, vexp(LOAD(from))); })
}

static void error_function(ptrdiff_t count, const float *from, float *into) {
    WM_ROW(count, { STORE(into, verf(LOAD(from))); })
}

static void tangent(ptrdiff_t count, const float *from, float *into) {
    WM_ROW(count, { STORE(into, vtanh(LOAD(from))); })
}
