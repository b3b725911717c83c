// Normal random numbers, sixty-four at a time; an element is a function of its address alone.

// One round of Philox on sixteen counters. Salmon et al. 2011.
#define PHILOX_ROUND(x, y, z, w, k0, k1)                                                                               \
    do {                                                                                                               \
        w16 p = __builtin_convertvector(x, w16) * 0xD2511F53u, q = __builtin_convertvector(z, w16) * 0xCD9E8D57u;      \
        u16 high_p = __builtin_convertvector(p >> 32, u16), high_q = __builtin_convertvector(q >> 32, u16);            \
        (x) = high_q ^ (y) ^ (k0);                                                                                     \
        (z) = high_p ^ (w) ^ (k1);                                                                                     \
        (y) = __builtin_convertvector(q, u16);                                                                         \
        (w) = __builtin_convertvector(p, u16);                                                                         \
    } while (0)

// Two words to two normal numbers: radius sqrt(-2 ln a), angle 2 pi b. The logarithm's polynomial is that of Cephes'
// logf, sine and cosine are Taylor's on an eighth of a turn; absolute error below 1e-6, far under one sampled bit.
#define BOX_MULLER(a, b, cosine_part, sine_part)                                                                       \
    do {                                                                                                               \
        v16 unit = __builtin_convertvector((i16)((a) >> 8), v16) + 1.0f;                                               \
        i16 bits = (i16)unit;                                                                                          \
        i16 exponent = (bits - 0x3f3504f3) >> 23;                                                                      \
        v16 f = (v16)(bits - (exponent << 23)) - 1.0f;                                                                 \
        v16 e = __builtin_convertvector(exponent, v16) - 24.0f;                                                        \
        v16 ff = f * f;                                                                                                \
        v16 poly = 7.0376836292E-2f * f - 1.1514610310E-1f;                                                            \
        poly = poly * f + 1.1676998740E-1f;                                                                            \
        poly = poly * f - 1.2420140846E-1f;                                                                            \
        poly = poly * f + 1.4249322787E-1f;                                                                            \
        poly = poly * f - 1.6668057665E-1f;                                                                            \
        poly = poly * f + 2.0000714765E-1f;                                                                            \
        poly = poly * f - 2.4999993993E-1f;                                                                            \
        poly = poly * f + 3.3333331174E-1f;                                                                            \
        v16 logarithm = f + (poly * f * ff - 0.5f * ff) + e * 0.69314718056f;                                          \
        v16 radius = __builtin_elementwise_sqrt(__builtin_elementwise_max(-2.0f * logarithm, (v16){0})) * deviation;   \
        v16 turn = __builtin_convertvector((i16)((b) >> 8), v16) * 0x1p-22f;                                           \
        i16 quadrant = __builtin_convertvector(turn + 0.5f, i16);                                                      \
        v16 t = (turn - __builtin_convertvector(quadrant, v16)) * 1.57079632679f;                                      \
        v16 tt = t * t;                                                                                                \
        v16 sine = t + t * tt * (-1.6666667e-1f + tt * (8.3333310e-3f + tt * (-1.9840874e-4f + tt * 2.7525562e-6f)));  \
        v16 cosine = 1.0f + tt * (-0.5f + tt * (4.1666667e-2f + tt * (-1.3888889e-3f + tt * 2.4801587e-5f)));          \
        i16 odd = (quadrant & 1) == 1;                                                                                 \
        v16 c = (v16)(((i16)cosine & ~odd) | ((i16)sine & odd));                                                       \
        v16 s = (v16)(((i16)sine & ~odd) | ((i16)cosine & odd));                                                       \
        (cosine_part) = radius * (v16)((i16)c ^ (((quadrant + 1) & 2) << 30));                                         \
        (sine_part) = radius * (v16)((i16)s ^ ((quadrant & 2) << 30));                                                 \
    } while (0)

static void fill_normal(ptrdiff_t count, uint32_t first_block, uint32_t key0, uint32_t key1, uint64_t stream,
                        float deviation, float *values) {
    const u16 lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    uint32_t block = first_block;
    for (ptrdiff_t i = 0; i < count; i += 64, block++) {
        u16 x = lanes + block * 16u, y = {0}, z = {0}, w = {0};
        y += (uint32_t)stream;
        z += (uint32_t)(stream >> 32);
        uint32_t k0 = key0, k1 = key1;
        for (int round = 0; round < 10; round++) {
            PHILOX_ROUND(x, y, z, w, k0, k1);
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        v16 normals[4];
        BOX_MULLER(x, y, normals[0], normals[1]);
        BOX_MULLER(z, w, normals[2], normals[3]);
        const ptrdiff_t rest = count - i;
        memcpy(values + i, normals, (size_t)(rest < 64 ? rest : 64) * sizeof(float));
    }
}
