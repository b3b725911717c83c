// Chooses the table of kernels that this machine can run.
#include "ckernels.h"
#include <string.h>

extern const wm_kernels wm_kernels_default;
#if defined(__x86_64__)
extern const wm_kernels wm_kernels_avx2, wm_kernels_avx512f;
#endif

const wm_kernels *wm_kernels_named(const char *name) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (strcmp(name, "avx512f") == 0)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") ? &wm_kernels_avx512f : NULL;
    if (strcmp(name, "avx2") == 0)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &wm_kernels_avx2 : NULL;
#endif
    return strcmp(name, "default") == 0 ? &wm_kernels_default : NULL;
}

const wm_kernels *wm_kernels_active(void) {
    const wm_kernels *best = wm_kernels_named("avx512f");
    if (!best) best = wm_kernels_named("avx2");
    return best ? best : &wm_kernels_default;
}

ptrdiff_t wm_attention_scratch(ptrdiff_t length, ptrdiff_t width) {
    const ptrdiff_t n = (length + 15) / 16 * 16, d = (width + 15) / 16 * 16, rows = 48;
    return 7 * n * d + 2 * rows * n + rows * d;
}
