// A vector of WM_LANES floats, and the transcendental functions over it.
#include "../include/ckernels.h"
#include <math.h>
#include <stdbool.h>
#include <string.h>

#pragma clang fp contract(fast)
#define WM_INLINE static inline __attribute__((always_inline, unused))

typedef float vf __attribute__((vector_size(WM_LANES * 4)));
typedef int32_t vi __attribute__((vector_size(WM_LANES * 4)));
typedef uint32_t vu __attribute__((vector_size(WM_LANES * 4)));
typedef double vd __attribute__((vector_size(WM_LANES * 8)));
typedef float vf_any __attribute__((vector_size(WM_LANES * 4), aligned(4), may_alias));

WM_INLINE vf load(const float *from) { return *(const vf_any *)from; }
WM_INLINE void store(float *into, vf value) { *(vf_any *)into = value; }
WM_INLINE vf splat(float value) {
    vf lanes;
#pragma clang loop unroll(full)
    for (int lane = 0; lane < WM_LANES; lane++) lanes[lane] = value;
    return lanes;
}

// The last `count` < WM_LANES elements of a row; lanes beyond are 0.
WM_INLINE vf load_part(const float *from, ptrdiff_t count) {
    vf value = {};
    memcpy(&value, from, (size_t)count * 4);
    return value;
}
WM_INLINE void store_part(float *into, vf value, ptrdiff_t count) { memcpy(into, &value, (size_t)count * 4); }

// Runs a block for each vector of a row: `i` is its first element, LOAD and STORE mind the tail.
#define WM_ROW(WIDTH, ...)                                                                                             \
    {                                                                                                                  \
        ptrdiff_t i = 0;                                                                                               \
        const bool whole = true;                                                                                       \
        const ptrdiff_t part = WM_LANES;                                                                               \
        (void)part;                                                                                                    \
        for (; i + WM_LANES <= (WIDTH); i += WM_LANES) __VA_ARGS__                                                     \
        if (i < (WIDTH)) {                                                                                             \
            const bool whole = false;                                                                                  \
            const ptrdiff_t part = (WIDTH) - i;                                                                        \
            __VA_ARGS__                                                                                                \
        }                                                                                                              \
    }
#define LOAD(P) (whole ? load((P) + i) : load_part((P) + i, part))
#define STORE(P, V) (whole ? store((P) + i, (V)) : store_part((P) + i, (V), part))

WM_INLINE vf choose(vi condition, vf yes, vf no) { return (vf)(((vi)yes & condition) | ((vi)no & ~condition)); }
WM_INLINE vf larger(vf a, vf b) { return choose(a > b, a, b); }
WM_INLINE vf magnitude(vf x) { return (vf)((vi)x & 0x7fffffff); }
WM_INLINE vf with_sign(vf x, vf sign) { return (vf)(((vi)x & 0x7fffffff) | ((vi)sign & (int32_t)0x80000000)); }

WM_INLINE float sum_lanes(vf value) {
    float lanes[WM_LANES];
    memcpy(lanes, &value, sizeof lanes);
#pragma clang loop unroll(full)
    for (int half = WM_LANES / 2; half; half /= 2)
#pragma clang loop unroll(full)
        for (int lane = 0; lane < half; lane++) lanes[lane] += lanes[lane + half];
    return lanes[0];
}

WM_INLINE float largest_lane(vf value) {
    float lanes[WM_LANES];
    memcpy(lanes, &value, sizeof lanes);
#pragma clang loop unroll(full)
    for (int half = WM_LANES / 2; half; half /= 2)
#pragma clang loop unroll(full)
        for (int lane = 0; lane < half; lane++)
            lanes[lane] = lanes[lane] > lanes[lane + half] ? lanes[lane] : lanes[lane + half];
    return lanes[0];
}

// e^x within 1 ulp with FMA (2 without); 0 below -87.3, where results would be subnormal, and e^88.37 above; NaN stays.
// Range reduction by ln 2 in two parts and a polynomial of degree 6 (minimax, Juffa).
WM_INLINE vf vexp(vf x) {
    const vf lowest = splat(-87.3f), highest = splat(88.37626f), shift = splat(12582912.0f);
    const vi underflow = x < lowest;
    x = choose(underflow, lowest, x);
    x = choose(x > highest, highest, x);
    const vf shifted = x * 1.442695041f + shift;
    const vf n = shifted - shift;
    vf f = n * -6.93145752e-1f + x;
    f = n * -1.42860677e-6f + f;
    vf r = f * 1.37805939e-3f + 8.37312452e-3f;
    r = r * f + 4.16695364e-2f;
    r = r * f + 1.66664720e-1f;
    r = r * f + 4.99999851e-1f;
    r = r * f + 1.0f;
    r = r * f + 1.0f;
    const vi exponent = ((vi)shifted - 0x4B400000 + 127) << 23;
    return (vf)((vi)(r * (vf)exponent) & ~underflow);
}

// erf(x) within 1.1 ulp with FMA (2 without): two minimax polynomials, joined at 475/512 (Juffa).
WM_INLINE vf verf(vf x) {
    const vf t = magnitude(x), s = x * x;
    vf r = t * -1.72853470e-5f + 3.83197126e-4f;
    const vf u = t * -3.88396438e-3f + 2.42546219e-2f;
    r = r * s + u;
    r = r * t - 1.06777877e-1f;
    r = r * t - 6.34846687e-1f;
    r = r * t - 1.28717512e-1f;
    r = r * t - t;
    const vf far = with_sign(1.0f - vexp(r), x);
    vf near = s * -5.96761703e-4f + 4.99119423e-3f;
    near = near * s - 2.67681349e-2f;
    near = near * s + 1.12819925e-1f;
    near = near * s - 3.76125336e-1f;
    near = near * s + 1.28379166e-1f;
    near = near * x + x;
    return choose(t > 0.927734375f, far, near);
}

// tanh(x) within 2 ulp: Cephes' polynomial below 0.625, 1 - 2 / (e^2x + 1) above.
WM_INLINE vf vtanh(vf x) {
    const vf t = magnitude(x), s = x * x;
    vf near = s * -5.70498872745e-3f + 2.06390887954e-2f;
    near = near * s - 5.37397155531e-2f;
    near = near * s + 1.33314422036e-1f;
    near = near * s - 3.33332819422e-1f;
    near = near * s * x + x;
    const vf far = with_sign(1.0f - 2.0f / (vexp(t + t) + 1.0f), x);
    return choose(t < 0.625f, near, far);
}
