#include "optimizer.h"

#include <string.h>

#if defined(__x86_64__)
#define WM_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WM_CLONES
#endif


/* Sixteen floats; a compiler without registers of that width cuts them up. */
typedef float v16 __attribute__((vector_size(64)));
typedef double d16 __attribute__((vector_size(128)));
typedef int32_t i16 __attribute__((vector_size(64)));
typedef uint32_t u16 __attribute__((vector_size(64)));
typedef uint64_t w16 __attribute__((vector_size(128)));

/* Macros, not functions: a 64-byte vector must not cross a call whose ABI depends on the instruction set. */
#define LOAD(destination, pointer) memcpy(&(destination), (pointer), sizeof(v16))
#define STORE(pointer, source) memcpy((pointer), &(source), sizeof(v16))

/* m, v := the moments after gradient g (scaled in place). */
#define MOMENTS(g, m, v)                                                   \
    do {                                                                   \
        (g) = (g) * s.gradient_scale;                                      \
        (m) = (m) + s.one_minus_beta1 * ((g) - (m));                       \
        (v) = s.beta2 * (v) + s.one_minus_beta2 * ((g) * (g));             \
    } while (0)

#define DENOMINATOR(v) (__builtin_elementwise_sqrt(v) * s.inverse_root2 + s.epsilon)

WM_CLONES void wm_adamw(
    float *weights, float *first, float *second, const float *gradient, size_t count,
    const wm_optimizer_scalars *scalars)
{
    const wm_optimizer_scalars s = *scalars;
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        v16 w, m, v, g;
        LOAD(w, weights + i);
        LOAD(m, first + i);
        LOAD(v, second + i);
        LOAD(g, gradient + i);
        MOMENTS(g, m, v);
        w = s.decay_factor * w - s.step_size * m / DENOMINATOR(v);
        STORE(weights + i, w);
        STORE(first + i, m);
        STORE(second + i, v);
    }
    for (; i < count; i++) {
        float m = first[i], v = second[i], g = gradient[i];
        MOMENTS(g, m, v);
        weights[i] = s.decay_factor * weights[i] - s.step_size * m / DENOMINATOR(v);
        first[i] = m;
        second[i] = v;
    }
}

WM_CLONES void wm_lamb_update(
    const float *weights, float *first, float *second, float *gradient, size_t count,
    const wm_optimizer_scalars *scalars, double norms[2])
{
    const wm_optimizer_scalars s = *scalars;
    double weight_sums[16] = {0}, update_sums[16] = {0};
    d16 weight_sum = {0}, update_sum = {0};
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        v16 w, m, v, g;
        LOAD(w, weights + i);
        LOAD(m, first + i);
        LOAD(v, second + i);
        LOAD(g, gradient + i);
        MOMENTS(g, m, v);
        v16 u = m * s.inverse_first / DENOMINATOR(v) + s.weight_decay * w;
        d16 wide = __builtin_convertvector(w, d16);
        weight_sum += wide * wide;
        wide = __builtin_convertvector(u, d16);
        update_sum += wide * wide;
        STORE(gradient + i, u);
        STORE(first + i, m);
        STORE(second + i, v);
    }
    memcpy(weight_sums, &weight_sum, sizeof weight_sum);
    memcpy(update_sums, &update_sum, sizeof update_sum);
    for (size_t lane = 0; i < count; i++, lane++) {
        float w = weights[i], m = first[i], v = second[i], g = gradient[i];
        MOMENTS(g, m, v);
        float u = m * s.inverse_first / DENOMINATOR(v) + s.weight_decay * w;
        weight_sums[lane] += (double)w * (double)w;
        update_sums[lane] += (double)u * (double)u;
        gradient[i] = u;
        first[i] = m;
        second[i] = v;
    }
    norms[0] = norms[1] = 0;
    for (int lane = 0; lane < 16; lane++) {
        norms[0] += weight_sums[lane];
        norms[1] += update_sums[lane];
    }
}

WM_CLONES void wm_lamb_apply(float *weights, const float *update, size_t count, float rate)
{
    for (size_t i = 0; i < count; i++) {
        weights[i] -= rate * update[i];
    }
}

WM_CLONES double wm_sum_of_squares(const float *values, size_t count)
{
    double sums[16];
    d16 even = {0}, odd = {0};
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
        v16 x, y;
        LOAD(x, values + i);
        LOAD(y, values + i + 16);
        d16 a = __builtin_convertvector(x, d16), b = __builtin_convertvector(y, d16);
        even += a * a;
        odd += b * b;
    }
    even += odd;
    memcpy(sums, &even, sizeof even);
    for (size_t lane = 0; i < count; i++, lane = (lane + 1) & 15) {
        sums[lane] += (double)values[i] * (double)values[i];
    }
    double sum = 0;
    for (int lane = 0; lane < 16; lane++) {
        sum += sums[lane];
    }
    return sum;
}

/* One round of Philox on sixteen counters. Salmon et al. 2011. */
#define PHILOX_ROUND(x, y, z, w, k0, k1)                                                              \
    do {                                                                                              \
        w16 p = __builtin_convertvector(x, w16) * 0xD2511F53u, q = __builtin_convertvector(z, w16) * 0xCD9E8D57u; \
        u16 high_p = __builtin_convertvector(p >> 32, u16), high_q = __builtin_convertvector(q >> 32, u16); \
        (x) = high_q ^ (y) ^ (k0);                                                                    \
        (z) = high_p ^ (w) ^ (k1);                                                                    \
        (y) = __builtin_convertvector(q, u16);                                                        \
        (w) = __builtin_convertvector(p, u16);                                                        \
    } while (0)

/* Two words to two normal numbers: radius sqrt(-2 ln a), angle 2 pi b. The logarithm's polynomial is that of Cephes'
   logf, sine and cosine are Taylor's on an eighth of a turn; absolute error below 1e-6, far under one sampled bit. */
#define BOX_MULLER(a, b, cosine_part, sine_part)                                                      \
    do {                                                                                              \
        v16 unit = __builtin_convertvector((i16)((a) >> 8), v16) + 1.0f;                              \
        i16 bits = (i16)unit;                                                                         \
        i16 exponent = (bits - 0x3f3504f3) >> 23;                                                     \
        v16 f = (v16)(bits - (exponent << 23)) - 1.0f;                                                \
        v16 e = __builtin_convertvector(exponent, v16) - 24.0f;                                       \
        v16 ff = f * f;                                                                               \
        v16 poly = 7.0376836292E-2f * f - 1.1514610310E-1f;                                           \
        poly = poly * f + 1.1676998740E-1f;                                                           \
        poly = poly * f - 1.2420140846E-1f;                                                           \
        poly = poly * f + 1.4249322787E-1f;                                                           \
        poly = poly * f - 1.6668057665E-1f;                                                           \
        poly = poly * f + 2.0000714765E-1f;                                                           \
        poly = poly * f - 2.4999993993E-1f;                                                           \
        poly = poly * f + 3.3333331174E-1f;                                                           \
        v16 logarithm = f + (poly * f * ff - 0.5f * ff) + e * 0.69314718056f;                         \
        v16 radius = __builtin_elementwise_sqrt(__builtin_elementwise_max(-2.0f * logarithm, (v16){0})) * deviation; \
        v16 turn = __builtin_convertvector((i16)((b) >> 8), v16) * 0x1p-22f;                          \
        i16 quadrant = __builtin_convertvector(turn + 0.5f, i16);                                     \
        v16 t = (turn - __builtin_convertvector(quadrant, v16)) * 1.57079632679f;                     \
        v16 tt = t * t;                                                                               \
        v16 sine = t + t * tt * (-1.6666667e-1f + tt * (8.3333310e-3f + tt * (-1.9840874e-4f + tt * 2.7525562e-6f))); \
        v16 cosine = 1.0f + tt * (-0.5f + tt * (4.1666667e-2f + tt * (-1.3888889e-3f + tt * 2.4801587e-5f))); \
        i16 odd = (quadrant & 1) == 1;                                                                \
        v16 c = (v16)(((i16)cosine & ~odd) | ((i16)sine & odd));                                      \
        v16 s = (v16)(((i16)sine & ~odd) | ((i16)cosine & odd));                                      \
        (cosine_part) = radius * (v16)((i16)c ^ (((quadrant + 1) & 2) << 30));                        \
        (sine_part) = radius * (v16)((i16)s ^ ((quadrant & 2) << 30));                                \
    } while (0)

WM_CLONES void wm_fill_normal(
    float *values, size_t count, uint32_t first_block, const uint32_t key[2], uint64_t stream, float deviation)
{
    const u16 lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    uint32_t block = first_block;
    for (size_t i = 0; i < count; i += 64, block++) {
        u16 x = lanes + block * 16u, y = {0}, z = {0}, w = {0};
        y += (uint32_t)stream;
        z += (uint32_t)(stream >> 32);
        uint32_t k0 = key[0], k1 = key[1];
        for (int round = 0; round < 10; round++) {
            PHILOX_ROUND(x, y, z, w, k0, k1);
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        v16 normals[4];
        BOX_MULLER(x, y, normals[0], normals[1]);
        BOX_MULLER(z, w, normals[2], normals[3]);
        size_t rest = count - i;
        memcpy(values + i, normals, (rest < 64 ? rest : 64) * sizeof(float));
    }
}
