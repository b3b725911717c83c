#include "ckernels.h"
void wm_kernels_anchor(void) {}
