// Sparse matrices, of weights or of activations: how their entries lie, and how they come from and go to dense ones.
//
// A mask has one bit for each element of a [rows, columns] matrix: rows of ceil(columns / 64) words, column c in bit c % 64
// of word c / 64; bits beyond the last column are 0.
#ifndef CKERNELS_SPARSE_H
#define CKERNELS_SPARSE_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Rows of a band and columns of a block.
#define WM_SPARSE_BAND 512
#define WM_SPARSE_BLOCK 64

/// The pattern of a sparse matrix. Entries lie band by band of 512 rows, in each band block by block of 64 columns, in each
/// block row by row, in each row by ascending column.
typedef struct {
    ptrdiff_t rows, columns;
    /// `[rows * ceil(columns / 64) + 1]` where the entries of each block's row begin; the last is their number.
    const uint32_t *starts;
    /// `[entries]` column of each entry, from its block's first.
    const uint8_t *columns_in_block;
} wm_sparse;

/// A dense operand of a product, [n, m]: element (i, j) is start[i * stride + j] or, where it lies turned,
/// start[j * stride + i].
typedef struct {
    float *start;
    ptrdiff_t stride;
    int turned;
} wm_dense;

/// Words of one row of a mask.
static inline ptrdiff_t wm_mask_words(ptrdiff_t columns) { return (columns + 63) / 64; }

/// Bits of `words` words that are 1.
ptrdiff_t wm_mask_count(ptrdiff_t words, const uint64_t *mask);

/// transposed [columns, rows] = mask [rows, columns].
void wm_mask_transpose(ptrdiff_t rows, ptrdiff_t columns, const uint64_t *mask, uint64_t *transposed);

/// The mask of the elements of values [rows, columns] that ReLU doesn't turn into zero: the positive ones, and those that are
/// no numbers, lest these be lost. Rows are `stride` elements apart.
void wm_mask_of_active(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t stride, const float *values, uint64_t *mask);

/// values[i] = 0 where bit i of the row that it belongs to is 0. `values` is [rows, columns] without gaps.
void wm_mask_apply(ptrdiff_t rows, ptrdiff_t columns, const uint64_t *mask, float *values);

/// Where entries begin and which columns they are in, from a mask. `starts` and `columns_in_block` as in wm_sparse.
void wm_sparse_pattern(ptrdiff_t rows, ptrdiff_t columns, const uint64_t *mask, uint32_t *starts,
                       uint8_t *columns_in_block);

/// values [entries] from a dense matrix whose element (r, c) is dense[r * row_stride + c * column_stride].
void wm_sparse_gather(const wm_sparse *pattern, const float *dense, ptrdiff_t row_stride, ptrdiff_t column_stride,
                      float *values);

/// dense [rows, columns], rows `stride` floats apart, from values: 0 where there is no entry, or added to what is there.
void wm_sparse_scatter(const wm_sparse *pattern, const float *values, int accumulate, float *dense, ptrdiff_t stride);

/// Floats of scratch that products with a sparse matrix of this size need.
ptrdiff_t wm_sparse_scratch(ptrdiff_t rows, ptrdiff_t columns);

#pragma clang assume_nonnull end

#endif
