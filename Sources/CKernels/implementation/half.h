// Numbers of 16 bits, kept in memory of f32: rounding to nearest, ties to even, and the way to 16 bits and back.
//
// Rounding is written out in integers rather than left to F16C or AVX-512 BF16, so that every table gives the same bits.

// bfloat16 is the upper half of a float. Infinities stay, as does NaN, which rounding could otherwise make a number.
WM_INLINE vf rounded_bf16(vf value) {
    const vu bits = (vu)value;
    const vu nearest = (bits + 0x7fff + ((bits >> 16) & 1)) & 0xffff0000u;
    return choose(value == value, (vf)nearest, (vf)((bits & 0xffff0000u) | 0x400000u));
}

// The IEEE binary16 number nearest to value * scale, over scale, a power of two. Beyond 65504 that is infinity, as IEEE 754
// has it: nothing is saturated. Below 2^-14 numbers are multiples of 2^-24, which is the last bit of a float near 0.5.
WM_INLINE vf rounded_f16(vf value, vf scale, vf inverse) {
    const vf size = magnitude(value * scale);
    const vu bits = (vu)size;
    const vf normal = (vf)((bits + 0xfff + ((bits >> 13) & 1)) & 0xffffe000u);
    const vf subnormal = (size + 0.5f) - 0.5f;
    vf nearest = choose(size < 0x1p-14f, subnormal, normal);
    nearest = choose(nearest > 65504.0f, splat(INFINITY), nearest) * inverse;
    return choose(value == value, with_sign(nearest, value), (vf)(((vu)value & 0xffffe000u) | 0x400000u));
}

static void add_bf16(ptrdiff_t count, const float *from, float *into) {
    WM_ROW(count, { STORE(into, rounded_bf16(LOAD(into) + LOAD(from))); })
}

static void sum_bf16(ptrdiff_t count, const float *left, const float *right, float *into) {
    WM_ROW(count, { STORE(into, rounded_bf16(LOAD(left) + LOAD(right))); })
}

static void round_bf16(ptrdiff_t count, float *values) {
    WM_ROW(count, { STORE(values, rounded_bf16(LOAD(values))); })
}

static void add_f16(ptrdiff_t count, float scale, const float *from, float *into) {
    const vf factor = splat(scale), inverse = splat(1 / scale);
    WM_ROW(count, { STORE(into, rounded_f16(LOAD(into) + LOAD(from), factor, inverse)); })
}

static void sum_f16(ptrdiff_t count, float scale, const float *left, const float *right, float *into) {
    const vf factor = splat(scale), inverse = splat(1 / scale);
    WM_ROW(count, { STORE(into, rounded_f16(LOAD(left) + LOAD(right), factor, inverse)); })
}

static void round_f16(ptrdiff_t count, float scale, float *values) {
    const vf factor = splat(scale), inverse = splat(1 / scale);
    WM_ROW(count, { STORE(values, rounded_f16(LOAD(values), factor, inverse)); })
}

WM_INLINE uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return bits;
}
WM_INLINE float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static void pack_bf16(ptrdiff_t count, const float *from, uint16_t *into) {
    for (ptrdiff_t i = 0; i < count; i++) into[i] = (uint16_t)(bits_of(from[i]) >> 16);
}

static void unpack_bf16(ptrdiff_t count, const uint16_t *from, float *into) {
    for (ptrdiff_t i = 0; i < count; i++) into[i] = float_of((uint32_t)from[i] << 16);
}

static void pack_f16(ptrdiff_t count, float scale, const float *from, uint16_t *into) {
    for (ptrdiff_t i = 0; i < count; i++) {
        const uint32_t bits = bits_of(from[i] * scale), size = bits & 0x7fffffff;
        // Kept below 2^-14, so that the conversion is defined where its result is not taken.
        const float small = float_of(size < 0x38800000 ? size : 0) * 0x1p24f;
        const uint32_t subnormal = (uint32_t)(int32_t)small, normal = (size - (112u << 23)) >> 13;
        const uint32_t special = 0x7c00 | (size > 0x7f800000 ? size >> 13 & 0x3ff : 0);
        const uint32_t half = size < 0x38800000 ? subnormal : size < 0x47800000 ? normal : special;
        into[i] = (uint16_t)(half | (bits >> 16 & 0x8000));
    }
}

static void unpack_f16(ptrdiff_t count, float scale, const uint16_t *from, float *into) {
    const float inverse = 1 / scale;
    for (ptrdiff_t i = 0; i < count; i++) {
        const uint32_t size = from[i] & 0x7fff, sign = (uint32_t)(from[i] & 0x8000) << 16;
        const uint32_t subnormal = bits_of((float)(int32_t)(size & 0x3ff) * 0x1p-24f);
        const uint32_t normal = (size << 13) + (112u << 23), special = 0x7f800000 | size << 13;
        const uint32_t bits = size < 0x400 ? subnormal : size < 0x7c00 ? normal : special;
        into[i] = float_of(bits | sign) * inverse;
    }
}
