// Layer normalisation (Ba et al. 2016) fused with what surrounds it. `mean` and `deviation` (1 / standard deviation) hold
// a number for each row.

// A row's mean and 1 / sqrt(variance + epsilon), in two passes over the row, which lies in the first-level cache.
WM_INLINE void row_statistics(ptrdiff_t width, const float *row, float epsilon, float *mean, float *deviation) {
    vf total = {};
    WM_ROW(width, { total += LOAD(row); })
    const float centre = sum_lanes(total) / (float)width;
    vf squares = {};
    WM_ROW(width, {
        const vf difference = LOAD(row) - centre;
        squares += whole ? difference * difference : ({
            vf kept = {};
            for (ptrdiff_t lane = 0; lane < part; lane++) kept[lane] = difference[lane] * difference[lane];
            kept;
        });
    })
    *mean = centre;
    *deviation = 1.0f / sqrtf(sum_lanes(squares) / (float)width + epsilon);
}

WM_INLINE void normalise_row(ptrdiff_t width, const float *row, float mean, float deviation, const float *weight,
                             const float *shift, const float *mask, float *into) {
    if (mask)
        WM_ROW(width, { STORE(into, ((LOAD(row) - mean) * deviation * LOAD(weight) + LOAD(shift)) * LOAD(mask)); })
    else
        WM_ROW(width, { STORE(into, (LOAD(row) - mean) * deviation * LOAD(weight) + LOAD(shift)); })
}

static void residual_norm(wm_tokens tokens, ptrdiff_t width, ptrdiff_t stride, const float *bias, const float *residual,
                          const float *weight, const float *shift, float epsilon, wm_dropout dropout, float *sum,
                          float *normalised, float *mean, float *deviation) {
    float mask[WM_WIDEST_ROW] __attribute__((aligned(64)));
    for (ptrdiff_t t = 0; t < tokens.count; t++) {
        float *row = sum + t * stride;
        const float *skip = residual ? residual + t * stride : NULL;
        if (bias && skip && dropout.threshold) {
            mask_row(dropout, tokens.example[t], tokens.position[t], width, mask, groups_of(width));
            WM_ROW(width, { STORE(row, (LOAD(row) + LOAD(bias)) * LOAD(mask) + LOAD(skip)); })
        } else {
            if (bias) WM_ROW(width, { STORE(row, LOAD(row) + LOAD(bias)); })
            if (dropout.threshold) {
                mask_row(dropout, tokens.example[t], tokens.position[t], width, mask, groups_of(width));
                WM_ROW(width, { STORE(row, LOAD(row) * LOAD(mask)); })
            }
            if (skip) WM_ROW(width, { STORE(row, LOAD(row) + LOAD(skip)); })
        }
        row_statistics(width, row, epsilon, &mean[t], &deviation[t]);
        normalise_row(width, row, mean[t], deviation[t], weight, shift, NULL, normalised + t * stride);
    }
}

// The two means that the gradient of a row needs, and the column sums. With y = w n + b and n = (x - mean) deviation:
// dx = deviation (dn - mean(dn) - n mean(dn n)), dn = w dy.
WM_INLINE void norm_backward_sums(ptrdiff_t width, const float *gradient, const float *row, const float *weight,
                                  float mean, float deviation, float *weight_gradient, float *shift_gradient,
                                  float *mean_gradient, float *mean_product) {
    vf total = {}, product = {};
    WM_ROW(width, {
        const vf dy = LOAD(gradient);
        const vf n = (LOAD(row) - mean) * deviation;
        const vf dn = dy * LOAD(weight);
        total += dn;
        product += dn * n;
        STORE(weight_gradient, LOAD(weight_gradient) + dy * n);
        STORE(shift_gradient, LOAD(shift_gradient) + dy);
    })
    *mean_gradient = sum_lanes(total) / (float)width;
    *mean_product = sum_lanes(product) / (float)width;
}

static void residual_norm_backward(wm_tokens tokens, ptrdiff_t width, ptrdiff_t stride, const float *gradient,
                                   const float *sum, const float *weight, const float *mean, const float *deviation,
                                   wm_dropout dropout, float *residual, float *before, float *weight_gradient,
                                   float *shift_gradient, float *bias_gradient) {
    float mask[WM_WIDEST_ROW] __attribute__((aligned(64)));
    for (ptrdiff_t t = 0; t < tokens.count; t++) {
        const float *dy = gradient + t * stride, *row = sum + t * stride;
        float *dx = residual + t * stride, *inner = before ? before + t * stride : NULL;
        const float m = mean[t], d = deviation[t];
        float g, p;
        norm_backward_sums(width, dy, row, weight, m, d, weight_gradient, shift_gradient, &g, &p);
#define WM_DX (LOAD(dy) * LOAD(weight) - g - (LOAD(row) - m) * d * p) * d
        if (!inner) {
            WM_ROW(width, { STORE(dx, WM_DX); })
        } else if (dropout.threshold) {
            mask_row(dropout, tokens.example[t], tokens.position[t], width, mask, groups_of(width));
            WM_ROW(width, {
                const vf value = WM_DX;
                const vf masked = value * LOAD(mask);
                STORE(dx, value);
                STORE(inner, masked);
                if (bias_gradient) STORE(bias_gradient, LOAD(bias_gradient) + masked);
            })
        } else {
            WM_ROW(width, {
                const vf value = WM_DX;
                STORE(dx, value);
                STORE(inner, value);
                if (bias_gradient) STORE(bias_gradient, LOAD(bias_gradient) + value);
            })
        }
    }
}

static void embed(wm_tokens tokens, ptrdiff_t width, ptrdiff_t stride, const int32_t *ids, const uint8_t *types,
                  const float *word, const float *position, const float *type, const float *weight, const float *shift,
                  float epsilon, wm_dropout dropout, float *sum, float *normalised, float *mean, float *deviation) {
    float mask[WM_WIDEST_ROW] __attribute__((aligned(64)));
    for (ptrdiff_t t = 0; t < tokens.count; t++) {
        const float *a = word + ids[t] * width, *b = position + tokens.position[t] * width, *c = type + types[t] * width;
        float *row = sum + t * stride;
        WM_ROW(width, { STORE(row, LOAD(a) + LOAD(b) + LOAD(c)); })
        row_statistics(width, row, epsilon, &mean[t], &deviation[t]);
        if (dropout.threshold) mask_row(dropout, tokens.example[t], tokens.position[t], width, mask, groups_of(width));
        normalise_row(width, row, mean[t], deviation[t], weight, shift, dropout.threshold ? mask : NULL,
                      normalised + t * stride);
    }
}

static void embed_backward(wm_tokens tokens, ptrdiff_t width, ptrdiff_t stride, float *gradient, const float *sum,
                           const float *weight, const float *mean, const float *deviation, wm_dropout dropout,
                           float *weight_gradient, float *shift_gradient) {
    float mask[WM_WIDEST_ROW] __attribute__((aligned(64)));
    for (ptrdiff_t t = 0; t < tokens.count; t++) {
        float *dy = gradient + t * stride;
        const float *row = sum + t * stride;
        const float m = mean[t], d = deviation[t];
        if (dropout.threshold) {
            mask_row(dropout, tokens.example[t], tokens.position[t], width, mask, groups_of(width));
            WM_ROW(width, { STORE(dy, LOAD(dy) * LOAD(mask)); })
        }
        float g, p;
        norm_backward_sums(width, dy, row, weight, m, d, weight_gradient, shift_gradient, &g, &p);
        WM_ROW(width, { STORE(dy, WM_DX); })
    }
}
#undef WM_DX

static void embed_scatter(wm_tokens tokens, ptrdiff_t width, ptrdiff_t stride, const int32_t *ids, const uint8_t *types,
                          const float *gradient, float *word, float *position, float *type) {
    for (ptrdiff_t t = 0; t < tokens.count; t++) {
        const float *from = gradient + t * stride;
        float *b = position + tokens.position[t] * width, *c = type + types[t] * width;
        WM_ROW(width, {
            const vf value = LOAD(from);
            STORE(b, LOAD(b) + value);
            STORE(c, LOAD(c) + value);
        })
        if (ids[t] == 0) continue;
        float *a = word + ids[t] * width;
        WM_ROW(width, { STORE(a, LOAD(a) + LOAD(from)); })
    }
}
