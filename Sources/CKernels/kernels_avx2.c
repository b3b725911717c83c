// The kernels for AVX2 with FMA: vectors of 8 floats, 16 registers.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define WM_LANES 8
#define WM_BLOCK_ROWS 6
#define WM_BLOCK_VECTORS 2
#define WM_TABLE wm_kernels_avx2
#define WM_NAME "avx2"
#include "implementation/table.h"
#pragma clang attribute pop
#endif
