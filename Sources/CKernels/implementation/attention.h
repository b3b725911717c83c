// One head's attention (Vaswani et al. 2017) over one sequence. Queries are taken WM_QUERY_ROWS at a time, so that only
// that many rows of scores exist at once, in cache; the backward pass computes them again from log_sum (as in Dao et al.
// 2022). Heads are packed into scratch first: rows of the fused matrix are kilobytes apart.

#define WM_QUERY_ROWS 48

WM_INLINE ptrdiff_t padded(ptrdiff_t width) { return (width + 15) / 16 * 16; }

// rows [count, width] (+ bias) * scale -> packed [count, padded(width)], zero beyond width.
WM_INLINE void pack_rows(ptrdiff_t count, ptrdiff_t width, const float *rows, ptrdiff_t stride, const float *bias,
                         float scale, float *packed) {
    const ptrdiff_t ld = padded(width);
    for (ptrdiff_t r = 0; r < count; r++, rows += stride, packed += ld) {
        // Rows are too far apart for the hardware to foresee the next one.
        for (ptrdiff_t i = 0; i < width; i += 16) __builtin_prefetch(rows + 8 * stride + i);
        for (ptrdiff_t i = width; i < ld; i++) packed[i] = 0;
        if (bias)
            WM_ROW(width, { STORE(packed, (LOAD(rows) + LOAD(bias)) * scale); })
        else
            WM_ROW(width, { STORE(packed, LOAD(rows) * scale); })
    }
}

// packed [count, padded(width)] -> transposed [width, padded(count)], zero beyond count.
WM_INLINE void transpose(ptrdiff_t count, ptrdiff_t width, const float *packed, float *transposed) {
    typedef float four __attribute__((vector_size(16), aligned(4), may_alias));
    const ptrdiff_t from = padded(width), to = padded(count);
    ptrdiff_t r = 0;
    for (; r + 4 <= count; r += 4) {
        const float *row = packed + r * from;
        ptrdiff_t i = 0;
        for (; i + 4 <= width; i += 4) {
            const four a = *(const four *)(row + i), b = *(const four *)(row + from + i);
            const four c = *(const four *)(row + 2 * from + i), d = *(const four *)(row + 3 * from + i);
            const four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
            const four ef = __builtin_shufflevector(a, b, 2, 6, 3, 7), gh = __builtin_shufflevector(c, d, 2, 6, 3, 7);
            float *into = transposed + i * to + r;
            *(four *)into = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
            *(four *)(into + to) = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
            *(four *)(into + 2 * to) = __builtin_shufflevector(ef, gh, 0, 1, 4, 5);
            *(four *)(into + 3 * to) = __builtin_shufflevector(ef, gh, 2, 3, 6, 7);
        }
        for (; i < width; i++)
            for (ptrdiff_t j = 0; j < 4; j++) transposed[i * to + r + j] = row[j * from + i];
    }
    for (; r < to; r++)
        for (ptrdiff_t i = 0; i < width; i++) transposed[i * to + r] = r < count ? packed[r * from + i] : 0;
}

static void attention(wm_attention shape, wm_dropout dropout, const float *query, const float *key, const float *value,
                      const float *query_bias, const float *key_bias, const float *value_bias, float *context,
                      float *log_sum) {
    float mask[WM_WIDEST_ROW] __attribute__((aligned(64)));
    const ptrdiff_t n = shape.length, m = shape.queries, d = shape.width, np = padded(n), dp = padded(d);
    float *q = shape.scratch, *k = q + n * dp, *v = k + n * dp, *kt = v + n * dp;
    float *scores = kt + d * np, *out = scores + WM_QUERY_ROWS * np;
    pack_rows(m, d, query, shape.query_stride, query_bias, shape.scale, q);
    pack_rows(n, d, key, shape.stride, key_bias, 1, k);
    pack_rows(n, d, value, shape.stride, value_bias, 1, v);
    transpose(n, d, k, kt);
    for (ptrdiff_t first = 0; first < m; first += WM_QUERY_ROWS) {
        const ptrdiff_t rows = m - first < WM_QUERY_ROWS ? m - first : WM_QUERY_ROWS;
        product(rows, np, d, q + first * dp, dp, 1, kt, np, scores, np, false);
        for (ptrdiff_t r = 0; r < rows; r++) {
            float *row = scores + r * np;
            for (ptrdiff_t i = n; i < np; i++) row[i] = -INFINITY;
            vf top = splat(-INFINITY);
            for (ptrdiff_t i = 0; i < np; i += WM_LANES) top = larger(load(row + i), top);
            const float maximum = largest_lane(top);
            vf total = {};
            for (ptrdiff_t i = 0; i < np; i += WM_LANES) {
                const vf e = vexp(load(row + i) - maximum);
                store(row + i, e);
                total += e;
            }
            const float sum = sum_lanes(total), inverse = 1.0f / sum;
            log_sum[first + r] = maximum + logf(sum);
            if (dropout.threshold) {
                mask_row(dropout, shape.example, shape.head * shape.positions + shape.positions_of_queries[first + r], n,
                         mask, shape.row_groups);
                for (ptrdiff_t i = 0; i < np; i += WM_LANES) store(row + i, load(row + i) * inverse * load(mask + i));
            } else {
                for (ptrdiff_t i = 0; i < np; i += WM_LANES) store(row + i, load(row + i) * inverse);
            }
        }
        product(rows, dp, n, scores, np, 1, v, dp, out, dp, false);
        for (ptrdiff_t r = 0; r < rows; r++)
            memcpy(context + (first + r) * shape.context_stride, out + r * dp, (size_t)d * 4);
    }
}

WM_INLINE void unpack_rows(ptrdiff_t count, ptrdiff_t width, const float *packed, float *rows, ptrdiff_t stride) {
    for (ptrdiff_t r = 0; r < count; r++) memcpy(rows + r * stride, packed + r * padded(width), (size_t)width * 4);
}

// With P the softmax, M the mask (0 or 1 / keep) and D_i = dO_i . O_i: dV = (P M)^T dO, dS = P (dO V^T M - D), dQ = dS K,
// dK = dS^T Q. Q was packed with the scale, so dK has it; dQ is multiplied by it.
static void attention_backward(wm_attention shape, wm_dropout dropout, const float *query, const float *key,
                               const float *value, const float *query_bias, const float *key_bias,
                               const float *value_bias, const float *context, const float *context_gradient,
                               const float *log_sum, float *query_gradient, float *key_gradient,
                               float *value_gradient) {
    float mask[WM_WIDEST_ROW] __attribute__((aligned(64)));
    const ptrdiff_t n = shape.length, m = shape.queries, d = shape.width, np = padded(n), dp = padded(d);
    float *q = shape.scratch, *k = q + n * dp, *g = k + n * dp, *kt = g + n * dp, *vt = kt + d * np;
    float *scores = vt + d * np, *slopes = scores + WM_QUERY_ROWS * np;
    float *dq = slopes + WM_QUERY_ROWS * np, *dk = dq + WM_QUERY_ROWS * dp, *dv = dk + n * dp;
    pack_rows(n, d, value, shape.stride, value_bias, 1, q);
    transpose(n, d, q, vt);
    pack_rows(m, d, query, shape.query_stride, query_bias, shape.scale, q);
    pack_rows(n, d, key, shape.stride, key_bias, 1, k);
    transpose(n, d, k, kt);
    pack_rows(m, d, context_gradient, shape.context_stride, NULL, 1, g);
    for (ptrdiff_t first = 0; first < m; first += WM_QUERY_ROWS) {
        const ptrdiff_t rows = m - first < WM_QUERY_ROWS ? m - first : WM_QUERY_ROWS;
        product(rows, np, d, q + first * dp, dp, 1, kt, np, scores, np, false);
        product(rows, np, d, g + first * dp, dp, 1, vt, np, slopes, np, false);
        for (ptrdiff_t r = 0; r < rows; r++) {
            const float *o = context + (first + r) * shape.context_stride, *dout = g + (first + r) * dp;
            vf dots = {};
            WM_ROW(d, { dots += LOAD(o) * LOAD(dout); })
            const float centre = sum_lanes(dots), log = log_sum[first + r];
            float *p = scores + r * np, *s = slopes + r * np;
            for (ptrdiff_t i = n; i < np; i++) p[i] = -INFINITY;
            if (dropout.threshold) {
                mask_row(dropout, shape.example, shape.head * shape.positions + shape.positions_of_queries[first + r], n,
                         mask, shape.row_groups);
                for (ptrdiff_t i = 0; i < np; i += WM_LANES) {
                    const vf e = vexp(load(p + i) - log), m = load(mask + i);
                    store(s + i, e * (load(s + i) * m - centre));
                    store(p + i, e * m);
                }
            } else {
                for (ptrdiff_t i = 0; i < np; i += WM_LANES) {
                    const vf e = vexp(load(p + i) - log);
                    store(s + i, e * (load(s + i) - centre));
                    store(p + i, e);
                }
            }
        }
        product(n, dp, rows, scores, 1, np, g + first * dp, dp, dv, dp, first > 0);
        product(n, dp, rows, slopes, 1, np, q + first * dp, dp, dk, dp, first > 0);
        product(rows, dp, n, slopes, np, 1, k, dp, dq, dp, false);
        for (ptrdiff_t r = 0; r < rows; r++) {
            float *into = query_gradient + (first + r) * shape.query_stride;
            const float *from = dq + r * dp;
            WM_ROW(d, { STORE(into, LOAD(from) * shape.scale); })
        }
    }
    if (m == 0) memset(dk, 0, (size_t)(2 * n * dp) * 4);
    unpack_rows(n, d, dk, key_gradient, shape.stride);
    unpack_rows(n, d, dv, value_gradient, shape.stride);
}
