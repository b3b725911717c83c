// What the optimizer's kernels take and give; ckernels.h says what they compute.
#ifndef CKERNELS_OPTIMIZER_H
#define CKERNELS_OPTIMIZER_H

/// The scalars of one step, computed in double and rounded once.
typedef struct {
    /// 1 / lanes, times the clipping factor.
    float gradient_scale;
    float beta1;
    float one_minus_beta1;
    float beta2;
    float one_minus_beta2;
    float epsilon;
    /// AdamW: 1 - learning rate x weight decay.
    float decay_factor;
    /// AdamW: learning rate / (1 - beta1^t).
    float step_size;
    /// LAMB: added to the update, times the weight.
    float weight_decay;
    /// 1 / sqrt(1 - beta2^t).
    float inverse_root2;
    /// LAMB: 1 / (1 - beta1^t).
    float inverse_first;
} wm_optimizer_scalars;

/// The sums of squares of a range's weights and updates, added up in a fixed order.
typedef struct {
    double weights, update;
} wm_lamb_norms;

#endif
