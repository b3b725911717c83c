// Products with a sparse matrix that multiply no zero. Activations of a panel of tokens are turned so that a column's
// tokens lie side by side: one entry of the matrix is then one factor for whole vectors of tokens. A block of 64 columns
// of a panel stays in the first-level cache while the entries of 512 rows stream past; sums of a panel's rows in between
// stay in the second-level cache. Each sum adds its entries by ascending column, however many tokens there are.

#define WM_PANEL_VECTORS 8
#define WM_PANEL (WM_PANEL_VECTORS * WM_LANES)

typedef float four __attribute__((vector_size(16)));
typedef float four_any __attribute__((vector_size(16), aligned(4), may_alias));

// Shuffles within each group of four lanes: FOURS(a, b, c, d) lists the lanes of every group, OTHER + n being lane n of the
// second operand's group. EVERY(expression of q) makes a vector of the groups q.
#if WM_LANES == 16
#define FOURS(A, B, C, D)                                                                                              \
    A, B, C, D, (A) + 4, (B) + 4, (C) + 4, (D) + 4, (A) + 8, (B) + 8, (C) + 8, (D) + 8, (A) + 12, (B) + 12, (C) + 12, \
        (D) + 12
#elif WM_LANES == 8
#define FOURS(A, B, C, D) A, B, C, D, (A) + 4, (B) + 4, (C) + 4, (D) + 4
#else
#define FOURS(A, B, C, D) A, B, C, D
#endif
#define OTHER WM_LANES

// Group q of the result is `rows[4 q * stride]`, four floats.
WM_INLINE vf load_fours(const float *rows, ptrdiff_t stride) {
#if WM_LANES == 4
    (void)stride;
    return *(const four_any *)rows;
#else
    typedef float eight __attribute__((vector_size(32)));
    const four a = *(const four_any *)rows, b = *(const four_any *)(rows + 4 * stride);
    const eight low = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
#if WM_LANES == 8
    return low;
#else
    const four c = *(const four_any *)(rows + 8 * stride), d = *(const four_any *)(rows + 12 * stride);
    const eight high = __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7);
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#endif
#endif
}

// The reverse; adds to what is there where `accumulate`.
WM_INLINE void store_fours(float *rows, ptrdiff_t stride, vf value, bool accumulate) {
    four groups[WM_LANES / 4];
    memcpy(groups, &value, sizeof value);
#pragma clang loop unroll(full)
    for (int q = 0; q < WM_LANES / 4; q++) {
        four_any *into = (four_any *)(rows + 4 * q * stride);
        *into = accumulate ? *into + groups[q] : groups[q];
    }
}

// Turns each group's square of four vectors: lane i of vector j becomes lane j of vector i.
WM_INLINE void turn(vf v[4]) {
    const vf a = __builtin_shufflevector(v[0], v[1], FOURS(0, OTHER, 1, OTHER + 1));
    const vf b = __builtin_shufflevector(v[2], v[3], FOURS(0, OTHER, 1, OTHER + 1));
    const vf c = __builtin_shufflevector(v[0], v[1], FOURS(2, OTHER + 2, 3, OTHER + 3));
    const vf d = __builtin_shufflevector(v[2], v[3], FOURS(2, OTHER + 2, 3, OTHER + 3));
    v[0] = __builtin_shufflevector(a, b, FOURS(0, 1, OTHER, OTHER + 1));
    v[1] = __builtin_shufflevector(a, b, FOURS(2, 3, OTHER + 2, OTHER + 3));
    v[2] = __builtin_shufflevector(c, d, FOURS(0, 1, OTHER, OTHER + 1));
    v[3] = __builtin_shufflevector(c, d, FOURS(2, 3, OTHER + 2, OTHER + 3));
}

// rows [tokens, columns] -> panel [columns, width], zero for tokens beyond the last.
static void into_panel(ptrdiff_t tokens, ptrdiff_t columns, const float *rows, ptrdiff_t stride, float *panel,
                       ptrdiff_t width) {
    ptrdiff_t token = 0;
    for (; token + WM_LANES <= tokens; token += WM_LANES, rows += WM_LANES * stride) {
        ptrdiff_t column = 0;
        for (; column + 4 <= columns; column += 4) {
            vf v[4];
#pragma clang loop unroll(full)
            for (int i = 0; i < 4; i++) v[i] = load_fours(rows + i * stride + column, stride);
            turn(v);
#pragma clang loop unroll(full)
            for (int i = 0; i < 4; i++) store(panel + (column + i) * width + token, v[i]);
        }
        for (; column < columns; column++)
            for (int i = 0; i < WM_LANES; i++) panel[column * width + token + i] = rows[i * stride + column];
    }
    for (; token < width; token++, rows += stride)
        for (ptrdiff_t column = 0; column < columns; column++)
            panel[column * width + token] = token < tokens ? rows[column] : 0;
}

// panel [columns, width] -> rows [tokens, columns], added to what is there where `accumulate`.
WM_INLINE void from_panel(ptrdiff_t tokens, ptrdiff_t columns, const float *panel, ptrdiff_t width, float *rows,
                          ptrdiff_t stride, const bool accumulate) {
    ptrdiff_t token = 0;
    for (; token + WM_LANES <= tokens; token += WM_LANES, rows += WM_LANES * stride) {
        ptrdiff_t column = 0;
        for (; column + 4 <= columns; column += 4) {
            vf v[4];
#pragma clang loop unroll(full)
            for (int i = 0; i < 4; i++) v[i] = load(panel + (column + i) * width + token);
            turn(v);
#pragma clang loop unroll(full)
            for (int i = 0; i < 4; i++) store_fours(rows + i * stride + column, stride, v[i], accumulate);
        }
        for (; column < columns; column++)
            for (int i = 0; i < WM_LANES; i++) {
                const float sum = panel[column * width + token + i];
                rows[i * stride + column] = accumulate ? rows[i * stride + column] + sum : sum;
            }
    }
    for (; token < tokens; token++, rows += stride)
        for (ptrdiff_t column = 0; column < columns; column++) {
            const float sum = panel[column * width + token];
            rows[column] = accumulate ? rows[column] + sum : sum;
        }
}

// x's panel [columns, width] of the `tokens` tokens from `first` on, zero beyond the last.
static void load_panel(ptrdiff_t first, ptrdiff_t tokens, ptrdiff_t columns, wm_dense x, float *panel,
                       ptrdiff_t width) {
    if (!x.turned) {
        into_panel(tokens, columns, x.start + first * x.stride, x.stride, panel, width);
        return;
    }
    const float *line = x.start + first;
    for (ptrdiff_t column = 0; column < columns; column++, line += x.stride, panel += width) {
        memcpy(panel, line, (size_t)tokens * sizeof *panel);
        memset(panel + tokens, 0, (size_t)(width - tokens) * sizeof *panel);
    }
}

// The panel [rows, width] into y's `tokens` tokens from `first` on, added to what is there where `accumulate`.
WM_INLINE void store_panel(ptrdiff_t first, ptrdiff_t tokens, ptrdiff_t rows, const float *panel, ptrdiff_t width,
                           wm_dense y, const bool accumulate) {
    if (!y.turned) {
        from_panel(tokens, rows, panel, width, y.start + first * y.stride, y.stride, accumulate);
        return;
    }
    float *line = y.start + first;
    for (ptrdiff_t row = 0; row < rows; row++, line += y.stride, panel += width)
        for (ptrdiff_t token = 0; token < tokens; token++)
            line[token] = accumulate ? line[token] + panel[token] : panel[token];
}

// Calls BODY with the constant `vectors` that a panel of `tokens` tokens takes.
#define WM_FOR_VECTORS(TOKENS, BODY)                                                                                   \
    switch (((TOKENS) + WM_LANES - 1) / WM_LANES) {                                                                    \
    case 1: { enum { vectors = 1 }; BODY; } break;                                                                     \
    case 2: { enum { vectors = 2 }; BODY; } break;                                                                     \
    case 3: { enum { vectors = 3 }; BODY; } break;                                                                     \
    case 4: { enum { vectors = 4 }; BODY; } break;                                                                     \
    case 5: { enum { vectors = 5 }; BODY; } break;                                                                     \
    case 6: { enum { vectors = 6 }; BODY; } break;                                                                     \
    case 7: { enum { vectors = 7 }; BODY; } break;                                                                     \
    default: { enum { vectors = 8 }; BODY; } break;                                                                    \
    }

// Calls BODY for every row of every block of columns, as they are stored: `row`, `block`, and its entries from `first` to
// `last`.
#define WM_FOR_SPARSE_ROWS(W, BODY)                                                                                    \
    {                                                                                                                  \
        const uint32_t *start = (W)->starts;                                                                           \
        for (ptrdiff_t band = 0; band < (W)->rows; band += WM_SPARSE_BAND) {                                           \
            const ptrdiff_t end = band + WM_SPARSE_BAND < (W)->rows ? band + WM_SPARSE_BAND : (W)->rows;               \
            for (ptrdiff_t block = 0; block < (W)->columns; block += WM_SPARSE_BLOCK)                                  \
                for (ptrdiff_t row = band; row < end; row++, start++) {                                                \
                    const uint32_t first = start[0], last = start[1];                                                  \
                    BODY                                                                                               \
                }                                                                                                      \
        }                                                                                                              \
    }

// sums [width] of one row (+)= its entries times their columns' lines.
WM_INLINE void multiply_row(const int vectors, ptrdiff_t entries, const uint8_t *columns, const float *values,
                            const float *lines, bool accumulate, float *sums) {
    vf total[WM_PANEL_VECTORS];
#pragma clang loop unroll(full)
    for (int j = 0; j < vectors; j++) total[j] = accumulate ? load(sums + j * WM_LANES) : (vf){};
    for (ptrdiff_t entry = 0; entry < entries; entry++) {
        const vf factor = splat(values[entry]);
        const float *line = lines + columns[entry] * (vectors * WM_LANES);
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) total[j] = factor * load(line + j * WM_LANES) + total[j];
    }
#pragma clang loop unroll(full)
    for (int j = 0; j < vectors; j++) store(sums + j * WM_LANES, total[j]);
}

// out [rows, width] = W panel [columns, width].
WM_INLINE void multiply_panel(const int vectors, const wm_sparse *w, const float *values, const float *panel,
                              float *out) {
    const ptrdiff_t width = vectors * WM_LANES;
    WM_FOR_SPARSE_ROWS(w, {
        multiply_row(vectors, last - first, w->columns_in_block + first, values + first, panel + block * width,
                     block > 0, out + row * width);
    })
}

static void sparse_product(const wm_sparse *w, const float *values, ptrdiff_t tokens, wm_dense x, int accumulate,
                           wm_dense y, float *scratch) {
    float *panel = scratch, *out = scratch + w->columns * WM_PANEL;
    for (ptrdiff_t token = 0; token < tokens; token += WM_PANEL) {
        const ptrdiff_t count = tokens - token < WM_PANEL ? tokens - token : WM_PANEL;
        const ptrdiff_t width = (count + WM_LANES - 1) / WM_LANES * WM_LANES;
        load_panel(token, count, w->columns, x, panel, width);
        WM_FOR_VECTORS(count, multiply_panel(vectors, w, values, panel, out))
        if (accumulate)
            store_panel(token, count, w->rows, out, width, y, true);
        else
            store_panel(token, count, w->rows, out, width, y, false);
    }
}

// Sums of pairs of neighbours, group of four by group of four: two of `a`, then two of `b`.
WM_INLINE vf pair_sums(vf a, vf b) {
    return __builtin_shufflevector(a, b, FOURS(0, 2, OTHER, OTHER + 2)) +
           __builtin_shufflevector(a, b, FOURS(1, 3, OTHER + 1, OTHER + 3));
}

// The four vectors' sums over their lanes.
WM_INLINE four lane_sums(const vf v[4]) {
    const vf sums = pair_sums(pair_sums(v[0], v[1]), pair_sums(v[2], v[3]));
    four groups[WM_LANES / 4];
    memcpy(groups, &sums, sizeof sums);
#pragma clang loop unroll(full)
    for (int half = WM_LANES / 8; half; half /= 2)
#pragma clang loop unroll(full)
        for (int q = 0; q < half; q++) groups[q] += groups[q + half];
    return groups[0];
}

// gradient [count] += the products over the panel's tokens of `count` entries of a row, up to eight: as many sums are under
// way at once, since one alone would wait for each of its additions.
WM_INLINE void add_products(const int count, const int vectors, const uint8_t *columns, const float *lines,
                            const float *slopes, float *gradient) {
    const ptrdiff_t width = vectors * WM_LANES;
    const float *line[8];
    vf total[8] = {};
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) line[i] = lines + columns[i] * width;
#pragma clang loop unroll(full)
    for (int j = 0; j < vectors; j++) {
        const vf slope = load(slopes + j * WM_LANES);
#pragma clang loop unroll(full)
        for (int i = 0; i < count; i++) total[i] = slope * load(line[i] + j * WM_LANES) + total[i];
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i += 4) {
        const four sums = lane_sums(total + i);
        if (count - i >= 4)
            *(four_any *)(gradient + i) += sums;
        else
            for (int k = i; k < count; k++) gradient[k] += sums[k - i];
    }
}

// gradient [entries] of one row += its slopes [width] times its entries' columns' lines.
WM_INLINE void gradient_row(const int vectors, ptrdiff_t entries, const uint8_t *columns, const float *lines,
                            const float *slopes, float *gradient) {
    for (; entries >= 8; entries -= 8, columns += 8, gradient += 8)
        add_products(8, vectors, columns, lines, slopes, gradient);
    if (entries >= 4) {
        add_products(4, vectors, columns, lines, slopes, gradient);
        entries -= 4, columns += 4, gradient += 4;
    }
    if (entries == 3) add_products(3, vectors, columns, lines, slopes, gradient);
    if (entries == 2) add_products(2, vectors, columns, lines, slopes, gradient);
    if (entries == 1) add_products(1, vectors, columns, lines, slopes, gradient);
}

WM_INLINE void gradient_panel(const int vectors, const wm_sparse *w, const float *slopes, const float *panel,
                              float *gradient) {
    const ptrdiff_t width = vectors * WM_LANES;
    WM_FOR_SPARSE_ROWS(w, {
        gradient_row(vectors, last - first, w->columns_in_block + first, panel + block * width, slopes + row * width,
                     gradient + first);
    })
}

static void sparse_gradient(const wm_sparse *w, ptrdiff_t tokens, wm_dense slopes, wm_dense x, float *gradient,
                            float *scratch) {
    float *panel = scratch, *slope_panel = scratch + w->columns * WM_PANEL;
    for (ptrdiff_t token = 0; token < tokens; token += WM_PANEL) {
        const ptrdiff_t count = tokens - token < WM_PANEL ? tokens - token : WM_PANEL;
        const ptrdiff_t width = (count + WM_LANES - 1) / WM_LANES * WM_LANES;
        load_panel(token, count, w->columns, x, panel, width);
        load_panel(token, count, w->rows, slopes, slope_panel, width);
        WM_FOR_VECTORS(count, gradient_panel(vectors, w, slope_panel, panel, gradient))
    }
}
