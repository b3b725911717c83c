#ifndef WAFERMARK_OPTIMIZER_H
#define WAFERMARK_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>

/* Optimizer steps over a range of one tensor, in one pass over memory. Every element's result depends on that element
   alone, and each operation is rounded on its own (no contraction), so ranges may be cut anywhere and computed by
   anybody on any instruction set, to the same bits. */

/* The scalars of one step, computed in double and rounded once. */
typedef struct {
    float gradient_scale;  /* 1 / lanes, times the clipping factor */
    float beta1;
    float one_minus_beta1;
    float beta2;
    float one_minus_beta2;
    float epsilon;
    float decay_factor;      /* AdamW: 1 - learning rate x weight decay */
    float step_size;         /* AdamW: learning rate / (1 - beta1^t) */
    float weight_decay;      /* LAMB: added to the update, times the weight */
    float inverse_root2;     /* 1 / sqrt(1 - beta2^t) */
    float inverse_first;     /* LAMB: 1 / (1 - beta1^t) */
} wm_optimizer_scalars;

/* torch.optim.AdamW:
   g' = scale g; m += (1 - beta1)(g' - m); v = beta2 v + (1 - beta2) g'^2;
   w = decay_factor w - step_size m / (sqrt(v) inverse_root2 + epsilon). */
void wm_adamw(
    float *weights, float *first, float *second, const float *gradient, size_t count,
    const wm_optimizer_scalars *scalars);

/* LAMB's first half: moments as AdamW's, then the update
   u = (m inverse_first) / (sqrt(v) inverse_root2 + epsilon) + weight_decay w, written over the gradient.
   norms[0] and norms[1] are set to the sums of squares of the range's weights and updates, added up in a fixed order. */
void wm_lamb_update(
    const float *weights, float *first, float *second, float *gradient, size_t count,
    const wm_optimizer_scalars *scalars, double norms[2]);

/* LAMB's second half: w -= rate u, where rate is the learning rate times the tensor's trust ratio. */
void wm_lamb_apply(float *weights, const float *update, size_t count, float rate);

/* The sum of squares of a range, added up in a fixed order (16 running sums in double). */
double wm_sum_of_squares(const float *values, size_t count);

/* Fills a range with normal numbers of mean 0: element e of the stream is a pure function of (key, stream, e). The range
   begins at element 64 x first_block of the stream. Philox 4x32-10 and the method of Box and Muller (1958). */
void wm_fill_normal(
    float *values, size_t count, uint32_t first_block, const uint32_t key[2], uint64_t stream, float deviation);

#endif
