"""The layer that every score-based attention is built on."""

import keras

from zoo.layers import attend


@keras.saving.register_keras_serializable("zoo")
class Attention(keras.layers.Layer):
    """Attention by a score: `a = softmax(score(q, k))`, `context = sum_j a_j v_j`.

    The base of `LuongAttention` and `BahdanauAttention`, and of an attention of your own: give
    `score`, and `project_key` where a part of the score depends on the keys alone. That part is
    computed once for a sequence, not once for a decoding step.

    Call arguments:
        query: `(batch, queries, query_dim)`.
        value: `(batch, keys, value_dim)`.
        key: `(batch, keys, key_dim)`; `value` when not given.
        value_mask: boolean `(batch, keys)`, True for a key that may be looked at. Filled in from
            `value`'s Keras mask when not given.
        return_attention_scores: also return the weights.

    Returns:
        The context `(batch, queries, value_dim)`; with `return_attention_scores`, a pair with the
        weights `(batch, queries, keys)`: >= 0, sum 1, exactly 0 on masked keys, and all zeros
        where every key is masked.

    Raises:
        ValueError: for shapes that do not fit, naming the argument.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def project_key(self, key):
        """What `score` needs of the keys: `(batch, keys, dim)` -> `(batch, keys, units)`."""
        return key

    def score(self, query, key):
        """`(batch, queries, keys)` from queries and projected keys."""
        raise NotImplementedError(f"{type(self).__name__} gives no `score(query, key)`.")

    def attend(self, query, value, key, value_mask=None):
        """Context and weights, for a key that went through `project_key` and a blanked value.

        `query` may hold several rows for each row of `value` (the hypotheses of a beam), in which
        case the rows of one source lie together.
        """
        grouped = attend.per_source(query, value)  # (batch, beams * queries, dim)
        weights = attend.masked_softmax(self.score(grouped, key), attend.key_mask(value_mask))
        context = attend.weighted_sum(weights, value)
        return attend.per_hypothesis(context, query), attend.per_hypothesis(weights, query)

    def call(self, query, value, key=None, value_mask=None, return_attention_scores=False):
        attend.check_shapes(self.name, query, value, key, value_mask)
        projected = self.project_key(attend.blank(value if key is None else key, value_mask))
        value = attend.blank(value, value_mask)
        context, weights = self.attend(query, value, projected, value_mask)
        return (context, weights) if return_attention_scores else context
