// Fused f32 kernels: everything of a training step around the GEMMs.
//
// Every kernel exists once in source (implementation/*.h) and is compiled three times, for AVX-512, AVX2 with FMA and the
// baseline; `wm_kernels_active` is the best table that this machine can run. Matrices are row-major, their rows `stride`
// elements apart; parameters and their gradients have no gaps. "accumulates" means that the result is added to what is
// there. No kernel allocates, blocks or depends on the alignment of its arguments, and results depend on the arguments
// and the table only.
#ifndef CKERNELS_H
#define CKERNELS_H

#include "optimizer.h"
#include "sparse.h"
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// Where a dropout mask comes from. The 16-bit draw of an element is a half of a word of Philox 4x32-10 under `key`, at the
/// counter (column group, example, site | step_high << 16, step_low). A row of a site has ceil(width / 128) groups of 128
/// elements; element e of row r is lane e % 16 and slot e % 128 / 16 of group r * groups + e / 128. Counter word 0 is
/// group * 16 + lane; the slot's draw is the low (even slot) or high (odd slot) half of word slot / 2.
typedef struct {
    uint32_t key0, key1;
    uint32_t step_low, step_high;
    uint32_t site;
    /// An element is dropped where its draw is below this; 0 turns dropout off.
    uint32_t threshold;
    /// What kept elements are multiplied by: 1 / (1 - threshold / 65536).
    float scale;
} wm_dropout;

/// Tokens of a packed batch: which example, and which position in it, each row of a [tokens, width] matrix belongs to.
typedef struct {
    ptrdiff_t count;
    const uint32_t *example;
    const uint32_t *position;
} wm_tokens;

/// One head's attention of `queries` tokens over a sequence of `length` tokens.
typedef struct {
    ptrdiff_t length;
    ptrdiff_t queries;
    /// `[queries]` position of each query in its sequence: with example and head the address of its row of masks.
    const uint32_t *positions_of_queries;
    /// Width of the head.
    ptrdiff_t width;
    /// Distance between rows of query and its gradient; of key, value and theirs.
    ptrdiff_t query_stride;
    ptrdiff_t stride;
    /// Distance between rows of context and its gradient.
    ptrdiff_t context_stride;
    /// The number of the example and of the head; a head has `positions` rows of masks, each of `row_groups` groups of 128.
    uint32_t example, head, row_groups, positions;
    /// What scores are multiplied by: 1 / sqrt(width).
    float scale;
    /// At least wm_attention_scratch(length, width) floats, 64-byte aligned.
    float *scratch;
} wm_attention;

typedef struct {
    const char *name;

    // Vectors.
    void (*add)(ptrdiff_t count, const float *from, float *into);
    void (*sum)(ptrdiff_t count, const float *left, const float *right, float *into);
    /// The same, every result rounded to bfloat16: to nearest, ties to even. Infinity and NaN stay.
    void (*add_bf16)(ptrdiff_t count, const float *from, float *into);
    void (*sum_bf16)(ptrdiff_t count, const float *left, const float *right, float *into);
    void (*round_bf16)(ptrdiff_t count, float *values);
    /// Numbers that are bfloat16 already, as 16 bits each, and back.
    void (*pack_bf16)(ptrdiff_t count, const float *from, uint16_t *into);
    void (*unpack_bf16)(ptrdiff_t count, const uint16_t *from, float *into);
    /// The same with IEEE binary16 numbers over `scale`, a power of two: what times `scale` rounds to more than 65504
    /// becomes infinity.
    void (*add_f16)(ptrdiff_t count, float scale, const float *from, float *into);
    void (*sum_f16)(ptrdiff_t count, float scale, const float *left, const float *right, float *into);
    void (*round_f16)(ptrdiff_t count, float scale, float *values);
    void (*pack_f16)(ptrdiff_t count, float scale, const float *from, uint16_t *into);
    void (*unpack_f16)(ptrdiff_t count, float scale, const uint16_t *from, float *into);
    /// Of the sums gradient + residual, the `kept` (1 to count) largest by magnitude go into `gradient`, 0 elsewhere; all
    /// others stay in `residual`, 0 there. Of equal ones the first are kept; infinity and NaN are larger than every number.
    void (*keep_largest)(ptrdiff_t count, ptrdiff_t kept, float *gradient, float *residual);
    /// Sums most of whose numbers are zero, in fewer bytes, without loss. Packed, they are ceil(count / 64) words of 8 bytes,
    /// little-endian, with bit i % 64 of word i / 64 set where number i has any bit set (so -0 is kept); then those numbers,
    /// in order. At most `limit` bytes are used; returns how many were, 0 where they would be more.
    ptrdiff_t (*pack_nonzero)(ptrdiff_t count, const float *values, ptrdiff_t limit, void *packed);
    /// Unpacks `count` numbers from `bytes` bytes; 0 where these are not what `pack_nonzero` makes of so many.
    int (*unpack_nonzero)(ptrdiff_t count, const void *packed, ptrdiff_t bytes, float *values);
    void (*scale)(ptrdiff_t count, float factor, float *values);
    /// Sum of squares in double, in an order fixed by `count` and the table alone.
    double (*squared_norm)(ptrdiff_t count, const float *values);
    void (*exponential)(ptrdiff_t count, const float *from, float *into);
    void (*error_function)(ptrdiff_t count, const float *from, float *into);
    void (*tangent)(ptrdiff_t count, const float *from, float *into);
    /// One row of a mask: 0 or `scale` for each of `width` elements.
    void (*dropout_row)(wm_dropout dropout, uint32_t example, uint32_t row, ptrdiff_t width, float *into);

    // Rows.
    /// rows += bias.
    void (*add_bias)(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, const float *bias, float *values);
    /// sums += column sums; accumulates.
    void (*column_sum)(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, const float *values, float *sums);
    /// pre += bias; activation = gelu(pre), exact.
    void (*bias_gelu)(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, const float *bias, float *pre,
                      float *activation);
    /// gradient *= gelu'(pre); pre becomes gelu(pre); bias_gradient accumulates column sums.
    void (*gelu_backward)(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, float *pre, float *gradient,
                          float *bias_gradient);
    /// pre += bias; activation = max(pre, 0).
    void (*bias_relu)(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, const float *bias, float *pre,
                      float *activation);
    /// gradient = 0 where pre <= 0; pre becomes max(pre, 0); bias_gradient accumulates column sums.
    void (*relu_backward)(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, float *pre, float *gradient,
                          float *bias_gradient);
    /// values = tanh(values + bias).
    void (*bias_tanh)(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, const float *bias, float *values);
    /// gradient *= 1 - values^2; bias_gradient accumulates column sums.
    void (*tanh_backward)(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, const float *values, float *gradient,
                          float *bias_gradient);

    // Layer normalisation.
    /// sum = dropout(sum + bias) + residual (no residual where NULL, no bias where NULL); normalised = norm(sum).
    void (*residual_norm)(wm_tokens tokens, ptrdiff_t width, ptrdiff_t stride, const float *_Nullable bias,
                          const float *_Nullable residual, const float *weight, const float *shift, float epsilon,
                          wm_dropout dropout, float *sum, float *normalised, float *mean, float *deviation);
    /// From the gradient of `normalised`: that of `sum` before dropout (into `before`, NULL where not wanted) and of the
    /// residual (into `residual`, which may be `gradient`); weight, shift and bias gradients accumulate.
    void (*residual_norm_backward)(wm_tokens tokens, ptrdiff_t width, ptrdiff_t stride, const float *gradient,
                                   const float *sum, const float *weight, const float *mean, const float *deviation,
                                   wm_dropout dropout, float *residual, float *_Nullable before, float *weight_gradient,
                                   float *shift_gradient, float *_Nullable bias_gradient);
    /// sum = word[id] + position[p] + type[t]; normalised = dropout(norm(sum)).
    void (*embed)(wm_tokens tokens, ptrdiff_t width, ptrdiff_t stride, const int32_t *ids, const uint8_t *types,
                  const float *word, const float *position, const float *type, const float *weight, const float *shift,
                  float epsilon, wm_dropout dropout, float *sum, float *normalised, float *mean, float *deviation);
    /// From the gradient of embed's `normalised`: that of its `sum`, in place; weight and shift gradients accumulate.
    void (*embed_backward)(wm_tokens tokens, ptrdiff_t width, ptrdiff_t stride, float *gradient, const float *sum,
                           const float *weight, const float *mean, const float *deviation, wm_dropout dropout,
                           float *weight_gradient, float *shift_gradient);
    /// Adds rows of `gradient` to the embeddings' gradients; word 0 ([PAD]) gets none, as in the reference.
    void (*embed_scatter)(wm_tokens tokens, ptrdiff_t width, ptrdiff_t stride, const int32_t *ids, const uint8_t *types,
                          const float *gradient, float *word, float *position, float *type);

    // Attention.
    /// context [queries, width] = dropout(softmax(scale * (query + bias) (key + bias)^T)) (value + bias);
    /// log_sum [queries] is what the backward pass computes the softmax from again.
    void (*attention)(wm_attention shape, wm_dropout dropout, const float *query, const float *key, const float *value,
                      const float *query_bias, const float *key_bias, const float *value_bias, float *context,
                      float *log_sum);
    /// Gradients of query, key and value from that of context.
    void (*attention_backward)(wm_attention shape, wm_dropout dropout, const float *query, const float *key,
                               const float *value, const float *query_bias, const float *key_bias,
                               const float *value_bias, const float *context, const float *context_gradient,
                               const float *log_sum, float *query_gradient, float *key_gradient, float *value_gradient);

    // Cross-entropy over a vocabulary tile of `width` columns that begins at `first`.
    /// logits += bias, then become exp(logit - tile_maximum); running maximum, sum, best column and label's logit are
    /// brought up to date.
    void (*vocabulary_tile)(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, int32_t first, const float *bias,
                            const int32_t *labels, float *logits, float *tile_maximum, float *maximum, float *sum,
                            int32_t *best, float *label_logit);
    /// exponentials become scale * (softmax - one_hot(label)); bias_gradient accumulates column sums.
    void (*vocabulary_tile_backward)(ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride, int32_t first,
                                     const int32_t *labels, float scale, const float *tile_maximum,
                                     const float *log_sum, float *exponentials, float *bias_gradient);

    // Products with a sparse matrix W [rows, columns]. `values` and `gradient` have an element for each entry of the pattern;
    // `scratch` has wm_sparse_scratch(rows, columns) floats. Entries are all that is multiplied.
    /// y [tokens, rows] = x [tokens, columns] W^T, or added to what is there. With the pattern and values of W^T it is the
    /// gradient of x from that of y.
    void (*sparse_product)(const wm_sparse *w, const float *values, ptrdiff_t tokens, wm_dense x, int accumulate,
                           wm_dense y, float *scratch);
    /// gradient += the entries of slopes^T x, where slopes [tokens, rows] is the gradient of y; accumulates.
    void (*sparse_gradient)(const wm_sparse *w, ptrdiff_t tokens, wm_dense slopes, wm_dense x, float *gradient,
                            float *scratch);

    // Optimizer steps over a range of one tensor, and the numbers that weights begin with. Every element's result depends on
    // that element alone, and each operation is rounded on its own, so ranges may be cut anywhere and computed by any table,
    // to the same bits.
    /// torch.optim.AdamW: g' = scale g; m += (1 - beta1)(g' - m); v = beta2 v + (1 - beta2) g'^2;
    /// w = decay_factor w - step_size m / (sqrt(v) inverse_root2 + epsilon).
    void (*adamw)(ptrdiff_t count, const wm_optimizer_scalars *scalars, const float *gradient, float *weights,
                  float *first, float *second);
    /// LAMB's first half: moments as AdamW's, then the update
    /// u = (m inverse_first) / (sqrt(v) inverse_root2 + epsilon) + weight_decay w, written over the gradient.
    wm_lamb_norms (*lamb_update)(ptrdiff_t count, const wm_optimizer_scalars *scalars, const float *weights,
                                 float *gradient, float *first, float *second);
    /// LAMB's second half: w -= rate u, where rate is the learning rate times the tensor's trust ratio.
    void (*lamb_apply)(ptrdiff_t count, float rate, const float *update, float *weights);
    /// The sum of squares of a range, added up in a fixed order (16 running sums in double).
    double (*sum_of_squares)(ptrdiff_t count, const float *values);
    /// Fills a range with normal numbers of mean 0: element e of the stream is a pure function of (key, stream, e). The range
    /// begins at element 64 x first_block of the stream. Philox 4x32-10 and the method of Box and Muller (1958).
    void (*fill_normal)(ptrdiff_t count, uint32_t first_block, uint32_t key0, uint32_t key1, uint64_t stream,
                        float deviation, float *values);
} wm_kernels;

/// The best table that this machine can run.
const wm_kernels *wm_kernels_active(void);

/// The table "avx512f", "avx2" or "default", or NULL where the machine cannot run it.
const wm_kernels *_Nullable wm_kernels_named(const char *name);

/// Floats of scratch that attention and its backward pass need.
ptrdiff_t wm_attention_scratch(ptrdiff_t length, ptrdiff_t width);

#pragma clang assume_nonnull end

#endif
