// Dropout masks by Philox 4x32-10 (Salmon et al. 2011), a group of 128 elements at a time. ckernels.h says which draw
// belongs to which element; it is the same for every vector width.

typedef uint64_t vw __attribute__((vector_size(WM_LANES * 4)));

// Groups of 128 elements in a row.
WM_INLINE uint32_t groups_of(ptrdiff_t width) { return (uint32_t)((width + 127) / 128); }

WM_INLINE void multiply_wide(vu value, uint64_t by, vu *high, vu *low) {
    const vw even = ((vw)value & 0xffffffff) * by, odd = ((vw)value >> 32) * by;
    *high = (vu)((even >> 32) | (odd & 0xffffffff00000000));
    *low = (vu)((even & 0xffffffff) | (odd << 32));
}

// `into` has room for whole groups; rows of the site have `row_groups` of them. Dropout must be on.
WM_INLINE void mask_row(wm_dropout dropout, uint32_t example, uint32_t row, ptrdiff_t width, float *into,
                        uint32_t row_groups) {
    const uint32_t groups = groups_of(width);
    vu lane = {};
#pragma clang loop unroll(full)
    for (uint32_t j = 0; j < WM_LANES; j++) lane[j] = j;
    const vf scale = splat(dropout.scale);
    for (uint32_t group = 0; group < groups; group++) {
        for (uint32_t part = 0; part < 16; part += WM_LANES) {
            vu c0 = lane + ((row * row_groups + group) * 16 + part);
            vu c1 = (vu){} + example;
            vu c2 = (vu){} + (dropout.site | dropout.step_high << 16);
            vu c3 = (vu){} + dropout.step_low;
            uint32_t key0 = dropout.key0, key1 = dropout.key1;
#pragma clang loop unroll(full)
            for (int round = 0; round < 10; round++) {
                vu high0, low0, high1, low1;
                multiply_wide(c0, 0xD2511F53u, &high0, &low0);
                multiply_wide(c2, 0xCD9E8D57u, &high1, &low1);
                c0 = high1 ^ c1 ^ key0;
                c1 = low1;
                c2 = high0 ^ c3 ^ key1;
                c3 = low0;
                key0 += 0x9E3779B9u;
                key1 += 0xBB67AE85u;
            }
            const vu words[4] = {c0, c1, c2, c3};
#pragma clang loop unroll(full)
            for (int word = 0; word < 4; word++) {
                const vi even = (words[word] & 0xffff) >= dropout.threshold;
                const vi odd = (words[word] >> 16) >= dropout.threshold;
                float *at = into + group * 128 + word * 32 + part;
                store(at, (vf)((vi)scale & even));
                store(at + 16, (vf)((vi)scale & odd));
            }
        }
    }
}

// Elements of a row of masks in scratch on the stack.
#define WM_WIDEST_ROW 8192

static void dropout_row(wm_dropout dropout, uint32_t example, uint32_t row, ptrdiff_t width, float *into) {
    float mask[WM_WIDEST_ROW] __attribute__((aligned(64)));
    if (dropout.threshold == 0) {
        for (ptrdiff_t i = 0; i < width; i++) into[i] = 1;
    } else {
        mask_row(dropout, example, row, width, mask, groups_of(width));
        memcpy(into, mask, (size_t)width * 4);
    }
}
