// Everything, for one instruction set; the including file says which.
#include "sixteen.h"

#include "normal.h"
#include "optimizer.h"

#include "vector.h"

#include "vectors.h"

#include "half.h"
#include "largest.h"
#include "sparse_sums.h"

#include "dropout.h"

#include "activations.h"
#include "block.h"
#include "norms.h"
#include "sparse.h"
#include "vocabulary.h"

#include "attention.h"

const wm_kernels WM_TABLE = {
    .name = WM_NAME,
    .add = add,
    .sum = sum,
    .add_bf16 = add_bf16,
    .sum_bf16 = sum_bf16,
    .round_bf16 = round_bf16,
    .pack_bf16 = pack_bf16,
    .unpack_bf16 = unpack_bf16,
    .add_f16 = add_f16,
    .sum_f16 = sum_f16,
    .round_f16 = round_f16,
    .pack_f16 = pack_f16,
    .unpack_f16 = unpack_f16,
    .keep_largest = keep_largest,
    .pack_nonzero = pack_nonzero,
    .unpack_nonzero = unpack_nonzero,
    .scale = scale,
    .squared_norm = squared_norm,
    .exponential = exponential,
    .error_function = error_function,
    .tangent = tangent,
    .dropout_row = dropout_row,
    .add_bias = add_bias,
    .column_sum = column_sum,
    .bias_gelu = bias_gelu,
    .gelu_backward = gelu_backward,
    .bias_relu = bias_relu,
    .relu_backward = relu_backward,
    .bias_tanh = bias_tanh,
    .tanh_backward = tanh_backward,
    .residual_norm = residual_norm,
    .residual_norm_backward = residual_norm_backward,
    .embed = embed,
    .embed_backward = embed_backward,
    .embed_scatter = embed_scatter,
    .attention = attention,
    .attention_backward = attention_backward,
    .vocabulary_tile = vocabulary_tile,
    .vocabulary_tile_backward = vocabulary_tile_backward,
    .sparse_product = sparse_product,
    .sparse_gradient = sparse_gradient,
    .adamw = adamw,
    .lamb_update = lamb_update,
    .lamb_apply = lamb_apply,
    .sum_of_squares = sum_of_squares,
    .fill_normal = fill_normal,
};
