// The kernels for any machine: vectors of 4 floats.
#define WM_LANES 4
#define WM_BLOCK_ROWS 4
#define WM_BLOCK_VECTORS 2
#define WM_TABLE wm_kernels_default
#define WM_NAME "default"
#include "implementation/table.h"
