// The largest numbers of a block, and what is left behind.

// How many of `count` magnitudes are above `limit`, a magnitude's bits. Infinity and NaN are above every number.
WM_INLINE ptrdiff_t count_above(ptrdiff_t count, const float *values, int32_t limit) {
    vi negative = {};
    WM_ROW(count, { negative += (vi)magnitude(LOAD(values)) > limit; })
    ptrdiff_t above = 0;
    for (int lane = 0; lane < WM_LANES; lane++) above -= negative[lane];
    return above;
}

// Of magnitudes as integers, `limit` becomes the largest with at least `kept` of the block at or above it, found bit by bit;
// or, where the search meets one that exactly `kept` are at or above, that.
static void keep_largest(ptrdiff_t count, ptrdiff_t kept, float *gradient, float *residual) {
    WM_ROW(count, { STORE(residual, LOAD(residual) + LOAD(gradient)); })
    int32_t limit = 0;
    ptrdiff_t ties = 0;
    bool is_exact = false;
    for (int bit = 30; bit >= 0 && !is_exact; bit--) {
        const int32_t candidate = limit | (int32_t)1 << bit;
        const ptrdiff_t reached = count_above(count, residual, candidate - 1);
        if (reached >= kept) limit = candidate;
        is_exact = reached == kept;
    }
    // Above this all are kept; of those that are equal to `limit`, the first ones. Zeros are the same kept or held back.
    if (!is_exact && limit > 0) ties = kept - count_above(count, residual, limit);
    const int32_t below = is_exact ? limit - 1 : limit;
    WM_ROW(count, {
        const vf value = LOAD(residual);
        const vi is_kept = (vi)magnitude(value) > below;
        STORE(gradient, (vf)((vi)value & is_kept));
        STORE(residual, (vf)((vi)value & ~is_kept));
    })
    for (ptrdiff_t i = 0; ties > 0 && i < count; i++) {
        if ((int32_t)(bits_of(residual[i]) & 0x7fffffff) != limit) continue;
        gradient[i] = residual[i];
        residual[i] = 0;
        ties--;
    }
}
