// Masks and the layout of sparse matrices; nothing here computes, so one version serves every machine.
#include "sparse.h"
#include <string.h>

ptrdiff_t wm_mask_count(ptrdiff_t words, const uint64_t *mask) {
    ptrdiff_t count = 0;
    for (ptrdiff_t i = 0; i < words; i++) count += __builtin_popcountll(mask[i]);
    return count;
}

// A square of 64 x 64 bits, in place (Warren 2013, "Hacker's Delight", section 7-3).
static void transpose_square(uint64_t square[64]) {
    uint64_t mask = 0x00000000ffffffff;
    for (int width = 32; width; width >>= 1, mask ^= mask << width)
        for (int row = 0; row < 64; row = ((row | width) + 1) & ~width) {
            const uint64_t differing = ((square[row] >> width) ^ square[row | width]) & mask;
            square[row] ^= differing << width;
            square[row | width] ^= differing;
        }
}

void wm_mask_transpose(ptrdiff_t rows, ptrdiff_t columns, const uint64_t *mask, uint64_t *transposed) {
    const ptrdiff_t words = wm_mask_words(columns), across = wm_mask_words(rows);
    for (ptrdiff_t row = 0; row < across; row++)
        for (ptrdiff_t word = 0; word < words; word++) {
            uint64_t square[64];
            for (ptrdiff_t i = 0; i < 64; i++)
                square[i] = row * 64 + i < rows ? mask[(row * 64 + i) * words + word] : 0;
            transpose_square(square);
            for (ptrdiff_t i = 0; i < 64 && word * 64 + i < columns; i++)
                transposed[(word * 64 + i) * across + row] = square[i];
        }
}

void wm_mask_of_active(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t stride, const float *values, uint64_t *mask) {
    for (ptrdiff_t row = 0; row < rows; row++, values += stride)
        for (ptrdiff_t block = 0; block < columns; block += 64) {
            const ptrdiff_t count = columns - block < 64 ? columns - block : 64;
            uint64_t word = 0;
            for (ptrdiff_t i = 0; i < count; i++) word |= (uint64_t)!(values[block + i] <= 0) << i;
            *mask++ = word;
        }
}

void wm_mask_apply(ptrdiff_t rows, ptrdiff_t columns, const uint64_t *mask, float *values) {
    const ptrdiff_t words = wm_mask_words(columns);
    for (ptrdiff_t row = 0; row < rows; row++, values += columns, mask += words)
        for (ptrdiff_t block = 0; block < columns; block += 64) {
            const uint64_t word = mask[block / 64];
            const ptrdiff_t count = columns - block < 64 ? columns - block : 64;
            for (ptrdiff_t i = 0; i < count; i++) values[block + i] = word >> i & 1 ? values[block + i] : 0;
        }
}

// Calls BODY for every row of every block of columns, as they are stored.
#define FOR_SPARSE_ROWS(ROWS, COLUMNS, BODY)                                                                           \
    for (ptrdiff_t band = 0; band < (ROWS); band += WM_SPARSE_BAND) {                                                  \
        const ptrdiff_t end = band + WM_SPARSE_BAND < (ROWS) ? band + WM_SPARSE_BAND : (ROWS);                         \
        for (ptrdiff_t block = 0; block < (COLUMNS); block += WM_SPARSE_BLOCK)                                         \
            for (ptrdiff_t row = band; row < end; row++) BODY                                                          \
    }

void wm_sparse_pattern(ptrdiff_t rows, ptrdiff_t columns, const uint64_t *mask, uint32_t *starts,
                       uint8_t *columns_in_block) {
    const ptrdiff_t words = wm_mask_words(columns);
    uint32_t entry = 0;
    FOR_SPARSE_ROWS(rows, columns, {
        *starts++ = entry;
        for (uint64_t left = mask[row * words + block / 64]; left; left &= left - 1)
            columns_in_block[entry++] = (uint8_t)__builtin_ctzll(left);
    })
    *starts = entry;
}

void wm_sparse_gather(const wm_sparse *pattern, const float *dense, ptrdiff_t row_stride, ptrdiff_t column_stride,
                      float *values) {
    const uint32_t *start = pattern->starts;
    FOR_SPARSE_ROWS(pattern->rows, pattern->columns, {
        const float *from = dense + row * row_stride + block * column_stride;
        for (uint32_t entry = start[0]; entry < start[1]; entry++)
            values[entry] = from[pattern->columns_in_block[entry] * column_stride];
        start++;
    })
}

void wm_sparse_scatter(const wm_sparse *pattern, const float *values, int accumulate, float *dense, ptrdiff_t stride) {
    if (!accumulate)
        for (ptrdiff_t row = 0; row < pattern->rows; row++)
            memset(dense + row * stride, 0, (size_t)pattern->columns * sizeof *dense);
    const uint32_t *start = pattern->starts;
    FOR_SPARSE_ROWS(pattern->rows, pattern->columns, {
        float *into = dense + row * stride + block;
        for (uint32_t entry = start[0]; entry < start[1]; entry++) into[pattern->columns_in_block[entry]] += values[entry];
        start++;
    })
}

// The widest panel that any instruction set takes: eight vectors of sixteen tokens.
ptrdiff_t wm_sparse_scratch(ptrdiff_t rows, ptrdiff_t columns) { return (rows + columns) * 128; }
