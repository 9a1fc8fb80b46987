"""A Transformer whose norms learn nothing, and that computes what another does."""

import numpy as np
from keras import ops

from zoo.layers.residual import make_norm
from zoo.models.ensemble import Ensemble
from zoo.models.transformer_translator import TransformerTranslator


class FoldedTranslator(TransformerTranslator):
    """What `folded` makes: its embedded tokens have mean 0, as has what is added to them."""

    def _last_norm(self, name):
        # The embedding, where it is the output matrix too, can't take the norm's weights.
        if name == "decoder_norm" and not self.options["tie_embeddings"]:
            return make_norm("unscaled", name=name)
        return super()._last_norm(name)

    def _place(self, positions, vectors, start=None):
        placed = super()._place(positions, vectors, start)
        return placed - ops.mean(placed, axis=-1, keepdims=True)


def folded(model):
    """A model equal to `model` that takes fewer operations, where there is one; else `model`.

    A pre-norm block's layer norm is followed by a matrix product, into which its weights go:
    `(g x + b) W + c = x (diag(g) W) + (b W + c)`. What is left of it takes the mean away and
    divides by the standard deviation. The mean is 0 to begin with, if what each branch adds to its
    input has mean 0, and taking a mean away is a matrix product as well. So all that a step
    computes of a norm is a root mean square: 5 operations, in place of 16.

    Args:
        model: a built translator, or an `Ensemble`. What has pre-norm layer norm, and a bias behind
            each, is folded.

    Reference:
        Jiang, Gu, Zhu, Pan 2023, "Pre-RMSNorm and Pre-CRMSNorm Transformers: Equivalent and
        Efficient Pre-LN Transformers", section 3.
    """
    if isinstance(model, Ensemble):
        return Ensemble([folded(each) for each in model.models])
    if not _can_be_folded(model):
        return model
    equal = FoldedTranslator.from_config({**model.get_config(), "norm": "unscaled"})
    for name in ("source_embedding", "target_embedding", "source_positions", "target_positions"):
        _copy(getattr(model, name), getattr(equal, name))
    _copy(model.encoder_norm, equal.encoder_norm)
    if model.options["tie_embeddings"]:
        _copy(model.decoder_norm, equal.decoder_norm)
    else:
        _copy(model.projection, equal.projection)
        _take_up(model.decoder_norm, equal.projection)
    for block, other in zip(model.encoder, equal.encoder, strict=True):
        _fold(block.around_attention, block.attention, other.attention, "projection")
        _fold(block.around_feed_forward, block.feed_forward, other.feed_forward, "expand")
    for block, other in zip(model.decoder, equal.decoder, strict=True):
        _fold(block.around_self, block.self_attention, other.self_attention, "projection")
        cross, others = block.cross_attention, other.cross_attention
        _fold(block.around_cross, cross, others, "query_projection")
        _fold(block.around_feed_forward, block.feed_forward, other.feed_forward, "expand")
    return equal


def _can_be_folded(model):
    options = getattr(model, "options", {})
    return (
        type(model) is TransformerTranslator
        and options["norm_first"]
        and options["norm"] == "layer"
        and not options["gated_feed_forward"]  # which has no bias
        and not options["gated_attention"]  # which sees the norm's output twice
    )


def _fold(residual, branch, other, first):
    """Copy a branch to another, with its norm in the `first` product, and answers of mean 0."""
    _copy(branch, other)
    _take_up(residual.norm, getattr(other, first))
    out = other.contract if first == "expand" else other.output_projection
    for weights in (out.kernel, out.bias):
        values = _array(weights)
        weights.assign(values - values.mean(axis=-1, keepdims=True))


def _take_up(norm, dense):
    """Have the matrix product behind a norm do what the norm's weights do."""
    kernel = _array(dense.kernel)
    dense.kernel.assign(_array(norm.gamma)[:, None] * kernel)
    dense.bias.assign(_array(dense.bias) + _array(norm.beta) @ kernel)


def _copy(layer, other):
    for before, after in zip(layer.variables, other.variables, strict=True):
        after.assign(before)


def _array(variable):
    return ops.convert_to_numpy(variable).astype(np.float64)
