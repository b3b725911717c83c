// Optimizer steps over a range of one tensor, in one pass over memory.

// m, v := the moments after gradient g (scaled in place).
#define MOMENTS(g, m, v)                                                                                               \
    do {                                                                                                               \
        (g) = (g) * s.gradient_scale;                                                                                  \
        (m) = (m) + s.one_minus_beta1 * ((g) - (m));                                                                   \
        (v) = s.beta2 * (v) + s.one_minus_beta2 * ((g) * (g));                                                         \
    } while (0)

#define DENOMINATOR(v) (__builtin_elementwise_sqrt(v) * s.inverse_root2 + s.epsilon)

static void adamw(ptrdiff_t count, const wm_optimizer_scalars *scalars, const float *gradient, float *weights,
                  float *first, float *second) {
    const wm_optimizer_scalars s = *scalars;
    ptrdiff_t i = 0;
    for (; i + 16 <= count; i += 16) {
        v16 w, m, v, g;
        LOAD_16(w, weights + i);
        LOAD_16(m, first + i);
        LOAD_16(v, second + i);
        LOAD_16(g, gradient + i);
        MOMENTS(g, m, v);
        w = s.decay_factor * w - s.step_size * m / DENOMINATOR(v);
        STORE_16(weights + i, w);
        STORE_16(first + i, m);
        STORE_16(second + i, v);
    }
    for (; i < count; i++) {
        float m = first[i], v = second[i], g = gradient[i];
        MOMENTS(g, m, v);
        weights[i] = s.decay_factor * weights[i] - s.step_size * m / DENOMINATOR(v);
        first[i] = m;
        second[i] = v;
    }
}

static wm_lamb_norms lamb_update(ptrdiff_t count, const wm_optimizer_scalars *scalars, const float *weights,
                                 float *gradient, float *first, float *second) {
    const wm_optimizer_scalars s = *scalars;
    double weight_sums[16], update_sums[16];
    d16 weight_sum = {0}, update_sum = {0};
    ptrdiff_t i = 0;
    for (; i + 16 <= count; i += 16) {
        v16 w, m, v, g;
        LOAD_16(w, weights + i);
        LOAD_16(m, first + i);
        LOAD_16(v, second + i);
        LOAD_16(g, gradient + i);
        MOMENTS(g, m, v);
        v16 u = m * s.inverse_first / DENOMINATOR(v) + s.weight_decay * w;
        d16 wide = __builtin_convertvector(w, d16);
        weight_sum += wide * wide;
        wide = __builtin_convertvector(u, d16);
        update_sum += wide * wide;
        STORE_16(gradient + i, u);
        STORE_16(first + i, m);
        STORE_16(second + i, v);
    }
    memcpy(weight_sums, &weight_sum, sizeof weight_sum);
    memcpy(update_sums, &update_sum, sizeof update_sum);
    for (int lane = 0; i < count; i++, lane++) {
        float w = weights[i], m = first[i], v = second[i], g = gradient[i];
        MOMENTS(g, m, v);
        float u = m * s.inverse_first / DENOMINATOR(v) + s.weight_decay * w;
        weight_sums[lane] += (double)w * (double)w;
        update_sums[lane] += (double)u * (double)u;
        gradient[i] = u;
        first[i] = m;
        second[i] = v;
    }
    wm_lamb_norms norms = {0, 0};
    for (int lane = 0; lane < 16; lane++) {
        norms.weights += weight_sums[lane];
        norms.update += update_sums[lane];
    }
    return norms;
}

static void lamb_apply(ptrdiff_t count, float rate, const float *update, float *weights) {
    for (ptrdiff_t i = 0; i < count; i++) weights[i] -= rate * update[i];
}

static double sum_of_squares(ptrdiff_t count, const float *values) {
    double sums[16];
    d16 even = {0}, odd = {0};
    ptrdiff_t i = 0;
    for (; i + 32 <= count; i += 32) {
        v16 x, y;
        LOAD_16(x, values + i);
        LOAD_16(y, values + i + 16);
        d16 a = __builtin_convertvector(x, d16), b = __builtin_convertvector(y, d16);
        even += a * a;
        odd += b * b;
    }
    even += odd;
    memcpy(sums, &even, sizeof even);
    for (int lane = 0; i < count; i++, lane = (lane + 1) & 15) sums[lane] += (double)values[i] * (double)values[i];
    double sum = 0;
    for (int lane = 0; lane < 16; lane++) sum += sums[lane];
    return sum;
}
