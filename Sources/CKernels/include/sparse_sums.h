// Sums most of whose numbers are zero, in fewer bytes, without loss.
//
// Packed, `count` numbers are ceil(count / 64) words of 8 bytes, little-endian, with bit i % 64 of word i / 64 set where
// number i has any bit set (so -0 is kept); then those numbers, in order. Neither needs to be aligned.
#ifndef CKERNELS_SPARSE_SUMS_H
#define CKERNELS_SPARSE_SUMS_H

#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Packs `count` numbers into at most `limit` bytes and returns how many it took; 0 where they would take more.
ptrdiff_t wm_pack_nonzero(ptrdiff_t count, const float *values, ptrdiff_t limit, void *packed);

/// Unpacks `count` numbers from `bytes` bytes; 0 where these are not what `wm_pack_nonzero` makes of so many.
int wm_unpack_nonzero(ptrdiff_t count, const void *packed, ptrdiff_t bytes, float *values);

#pragma clang assume_nonnull end

#endif
