// The kernels for AVX-512: vectors of 16 floats, 32 registers.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512vl,avx2,fma"), min_vector_width(512))), \
                             apply_to = function)
#define WM_LANES 16
#define WM_BLOCK_ROWS 6
#define WM_BLOCK_VECTORS 4
#define WM_TABLE wm_kernels_avx512f
#define WM_NAME "avx512f"
#include "implementation/table.h"
#pragma clang attribute pop
#endif
