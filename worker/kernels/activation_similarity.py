"""Closeness of two images by their activations (App. E): `a_i · a_j / (|a_i| |a_j|)`."""

from jaxtyping import Float, Float64
from torch import Tensor

from worker.kernels.gram import product_gram


def activation_similarity(activations: Float[Tensor, "images units"]) -> Float64[Tensor, "images images"]:
    """The cosine of every pair, symmetric; NaN where a norm is 0 or an activation infinite or NaN."""
    gram = product_gram(activations)
    norms = gram.diagonal().sqrt()
    return gram / (norms[:, None] * norms)
