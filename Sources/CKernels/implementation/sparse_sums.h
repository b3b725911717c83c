// Which numbers of a sum are not zero; ckernels.h says how they lie. Nothing here computes.

static ptrdiff_t pack_nonzero(ptrdiff_t count, const float *values, ptrdiff_t limit, void *packed) {
    const ptrdiff_t words = (count + 63) / 64;
    ptrdiff_t used = words * 8;
    if (used > limit) return 0;
    for (ptrdiff_t word = 0; word < words; word++) {
        const float *block = values + word * 64;
        const ptrdiff_t size = count - word * 64 < 64 ? count - word * 64 : 64;
        uint32_t bits[64] = {0};
        memcpy(bits, block, (size_t)size * 4);
        uint64_t mask = 0;
        for (int i = 0; i < 64; i++) mask |= (uint64_t)(bits[i] != 0) << i;
        memcpy((char *)packed + word * 8, &mask, 8);
        if (used + 4 * __builtin_popcountll(mask) > limit) return 0;
        for (; mask; mask &= mask - 1, used += 4) memcpy((char *)packed + used, bits + __builtin_ctzll(mask), 4);
    }
    return used;
}

static int unpack_nonzero(ptrdiff_t count, const void *packed, ptrdiff_t bytes, float *values) {
    const ptrdiff_t words = (count + 63) / 64;
    if (bytes < words * 8 || bytes % 4 != 0) return 0;
    const char *next = (const char *)packed + words * 8;
    ptrdiff_t left = (bytes - words * 8) / 4;
    for (ptrdiff_t word = 0; word < words; word++) {
        float *block = values + word * 64;
        const ptrdiff_t size = count - word * 64 < 64 ? count - word * 64 : 64;
        uint64_t mask;
        memcpy(&mask, (const char *)packed + word * 8, 8);
        if (size < 64 && mask >> size) return 0;
        left -= __builtin_popcountll(mask);
        if (left < 0) return 0;
        memset(block, 0, (size_t)size * 4);
        for (; mask; mask &= mask - 1, next += 4) memcpy(block + __builtin_ctzll(mask), next, 4);
    }
    return left == 0;
}
