void wm_kernels_anchor(void);
