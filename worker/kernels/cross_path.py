"""Cross-path similarity (Sec. 6.1): how much of what two images share stayed the same between two recordings.

    x_ij = ((p_i^t ⊙ p_j^t) · (p_i^{t-1} ⊙ p_j^{t-1})) / (|p_i^t ⊙ p_j^t| |p_i^{t-1} ⊙ p_j^{t-1}|)

and the same with activations a for paths p. With S = P^t ⊙ P^{t-1} all pairs come from three Gram matrices: the
numerators are S Sᵀ, the squared norms are those of P^t ⊙ P^t and of P^{t-1} ⊙ P^{t-1}; the last is known from t-1.
"""

from jaxtyping import Float, Float64, Int64
from torch import Tensor

from worker.kernels.gram import count_gram, product_gram
from worker.kernels.overlap import Paths, normalised
from worker.kernels.packing import pack


def shared_squares(
    layer: Paths | Float[Tensor, "images units"],
) -> Int64[Tensor, "images images"] | Float64[Tensor, "images images"]:
    """`|p_i ⊙ p_j|²` of every pair, which for paths is the overlap, or `|a_i ⊙ a_j|²`."""
    return product_gram(layer, layer) if layer.is_floating_point() else count_gram(layer)


def cross_path(
    now: Paths | Float[Tensor, "images units"],
    before: Paths | Float[Tensor, "images units"],
    now_squares: Int64[Tensor, "images images"] | Float64[Tensor, "images images"],
    before_squares: Int64[Tensor, "images images"] | Float64[Tensor, "images images"],
) -> Float64[Tensor, "images images"]:
    """The similarity of every pair, given the `shared_squares` of both recordings; symmetric.

    For paths it is the correctly rounded ratio of integers and never above 1; on the diagonal stands self-similarity.
    NaN where a norm is 0, and for images that have an infinite or NaN activation.
    """
    if now.is_floating_point():
        return product_gram(now, before) / (now_squares.sqrt() * before_squares.sqrt())
    return normalised(count_gram(pack(now) & pack(before)), now_squares, before_squares)
