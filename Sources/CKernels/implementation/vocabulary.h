// Softmax cross-entropy over the vocabulary, a tile of columns at a time while the tile is in cache. Exponentials are
// stored relative to the tile's own maximum, so that the backward pass only rescales them.

static void vocabulary_tile(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, int32_t first, const float *bias,
                            const int32_t *labels, float *logits, float *tile_maximum, float *maximum, float *sum,
                            int32_t *best, float *label_logit) {
    for (ptrdiff_t r = 0; r < rows; r++, logits += stride) {
        vf top = splat(-INFINITY);
        WM_ROW(width, {
            const vf value = LOAD(logits) + LOAD(bias);
            STORE(logits, value);
            if (whole)
                top = larger(value, top);
            else
                for (ptrdiff_t lane = 0; lane < part; lane++) top[lane] = value[lane] > top[lane] ? value[lane] : top[lane];
        })
        const float here = largest_lane(top);
        const int32_t label = labels[r] - first;
        if (label >= 0 && label < width) label_logit[r] = logits[label];
        if (here > maximum[r]) {
            ptrdiff_t column = 0;
            while (column < width - 1 && logits[column] != here) column++;
            best[r] = first + (int32_t)column;
        }
        vf total = {};
        WM_ROW(width, {
            const vf value = vexp(LOAD(logits) - here);
            STORE(logits, value);
            if (whole)
                total += value;
            else
                for (ptrdiff_t lane = 0; lane < part; lane++) total[lane] += value[lane];
        })
        const float exponentials = sum_lanes(total);
        tile_maximum[r] = here;
        if (here > maximum[r]) {
            sum[r] = sum[r] * expf(maximum[r] - here) + exponentials;
            maximum[r] = here;
        } else {
            sum[r] += exponentials * expf(here - maximum[r]);
        }
    }
}

static void vocabulary_tile_backward(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, int32_t first,
                                     const int32_t *labels, float scale, const float *tile_maximum,
                                     const float *log_sum, float *exponentials, float *bias_gradient) {
    for (ptrdiff_t r = 0; r < rows; r++, exponentials += stride) {
        const float factor = scale * expf(tile_maximum[r] - log_sum[r]);
        const int32_t label = labels[r] - first;
        const bool labelled = label >= 0 && label < width;
        if (labelled) bias_gradient[label] -= scale;
        WM_ROW(width, {
            const vf value = LOAD(exponentials) * factor;
            STORE(exponentials, value);
            STORE(bias_gradient, LOAD(bias_gradient) + value);
        })
        if (labelled) exponentials[label] -= scale;
    }
}
