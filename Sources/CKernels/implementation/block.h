// Small matrix products for attention: C [rows, columns] (+)= A B, where B and C are row-major with columns padded to
// whole vectors, and A is addressed by two strides so that it can be transposed. A block of C stays in registers.

WM_INLINE void block(const int rows, const int vectors, ptrdiff_t depth, const float *a, ptrdiff_t a_row,
                     ptrdiff_t a_depth, const float *b, ptrdiff_t ldb, float *c, ptrdiff_t ldc, bool accumulate) {
    vf total[WM_BLOCK_ROWS][WM_BLOCK_VECTORS];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) total[i][j] = accumulate ? load(c + i * ldc + j * WM_LANES) : (vf){};
    for (ptrdiff_t k = 0; k < depth; k++) {
        vf line[WM_BLOCK_VECTORS];
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) line[j] = load(b + k * ldb + j * WM_LANES);
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            const vf factor = splat(a[i * a_row + k * a_depth]);
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; j++) total[i][j] = factor * line[j] + total[i][j];
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) store(c + i * ldc + j * WM_LANES, total[i][j]);
}

// One strip of `vectors` vectors of columns, all rows.
WM_INLINE void strip(const int vectors, ptrdiff_t rows, ptrdiff_t depth, const float *a, ptrdiff_t a_row,
                     ptrdiff_t a_depth, const float *b, ptrdiff_t ldb, float *c, ptrdiff_t ldc, bool accumulate) {
    ptrdiff_t i = 0;
    for (; i + WM_BLOCK_ROWS <= rows; i += WM_BLOCK_ROWS)
        block(WM_BLOCK_ROWS, vectors, depth, a + i * a_row, a_row, a_depth, b, ldb, c + i * ldc, ldc, accumulate);
    for (; i + 4 <= rows; i += 4)
        block(4, vectors, depth, a + i * a_row, a_row, a_depth, b, ldb, c + i * ldc, ldc, accumulate);
    for (; i + 2 <= rows; i += 2)
        block(2, vectors, depth, a + i * a_row, a_row, a_depth, b, ldb, c + i * ldc, ldc, accumulate);
    if (i < rows) block(1, vectors, depth, a + i * a_row, a_row, a_depth, b, ldb, c + i * ldc, ldc, accumulate);
}

// `columns` is a multiple of WM_LANES.
static __attribute__((noinline)) void product(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t depth, const float *a,
                                              ptrdiff_t a_row, ptrdiff_t a_depth, const float *b, ptrdiff_t ldb,
                                              float *c, ptrdiff_t ldc, bool accumulate) {
    ptrdiff_t j = 0;
    for (; j + WM_BLOCK_VECTORS * WM_LANES <= columns; j += WM_BLOCK_VECTORS * WM_LANES)
        strip(WM_BLOCK_VECTORS, rows, depth, a, a_row, a_depth, b + j, ldb, c + j, ldc, accumulate);
    const ptrdiff_t left = (columns - j) / WM_LANES;
    if (WM_BLOCK_VECTORS > 3 && left == 3)
        strip(3, rows, depth, a, a_row, a_depth, b + j, ldb, c + j, ldc, accumulate);
    else if (WM_BLOCK_VECTORS > 2 && left == 2)
        strip(2, rows, depth, a, a_row, a_depth, b + j, ldb, c + j, ldc, accumulate);
    else if (left == 1)
        strip(1, rows, depth, a, a_row, a_depth, b + j, ldb, c + j, ldc, accumulate);
}
