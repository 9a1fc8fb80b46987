"""Multi-head attention of a sequence to itself."""

import keras
from keras import ops

from zoo.layers import attend, heads, position_schemes, shapes
from zoo.layers.arguments import check_whole
from zoo.layers.multi_head import MultiHead


@keras.saving.register_keras_serializable("zoo")
class SelfAttention(MultiHead):
    """Multi-head self-attention, with one projection for queries, keys and values.

        Q, K, V = x W_q, x W_k, x W_v
        head_i  = softmax(Q_i K_i^T / sqrt(d / heads)) V_i
        output  = [head_1; ...; head_n] W_o
        causal: query p sees the keys j <= p
        window: query p sees the keys |j - p| < window
        grouped-query: K_g, V_g for K_i, V_i, with head i in the group g of kv_heads groups
        multi-query: K_1, V_1 for every K_i, V_i: one head of keys and values serves all queries

    The three projections are one matrix product, which is what makes it faster than three. Given
    a `value` besides `query`, the two are projected by the same weights apart.

    Args:
        num_heads, num_kv_heads, dropout, qk_norm, gated: as in `MultiHead`: grouped-query and
            multi-query attention, normed queries and keys, a gated output.
        causal: hide later positions: query i looks at keys 0..i only.
        window: a query looks at keys less than so many positions away; None for no limit.
        positions: how it knows the order: a name ("noise", "sinusoidal", "learned", "shaw", "t5",
            "rotary", "alibi") or a scheme such as `RotaryPositions(linear=4)`; None: not at all.

    Call arguments:
        query: `(batch, queries, dim)`.
        value: `(batch, keys, dim)`; `query` when not given.
        key: `(batch, keys, dim)`; `value` when not given.
        mask: boolean `(batch, queries)`: stands in for `value_mask` when `value` is not given.
            Filled in from `query`'s Keras mask when `query` comes alone.
        value_mask: boolean `(batch, keys)`, True for a key that may be looked at.
        attention_mask: boolean `(batch, queries, keys)`, True where the query may look.
        return_attention_scores: also return the weights.
        cache: keys and values of the positions so far, a pair of `(batch, num_kv_heads, positions,
            width)`, to decode one token at a time: see `empty_cache`. `query` is then `(batch, 1,
            dim)` and stands behind what is in the cache, which grows by one.
        position: int `(batch,)`: the cache is room for more than the positions so far, and this is
            which one `query` stands at. The cache does not grow, and its shape never changes. Past
            its end nothing is kept: the query then sees all that is in it, but not itself.
        return_cache: also return the keys and values that were attended to.

    Returns:
        `(batch, queries, dim)`; then, if asked for, the weights `(batch, heads, queries, keys)`,
        and the pair of keys (normed and turned) and values, `(batch, num_kv_heads, keys, width)`
        each: with `cache`, the cache with this position in it.

    Raises:
        ValueError: for shapes that do not fit, a `key` without `value`, a `position` without
            `cache`, `value` or a mask of keys beside a `cache`, heads that do not divide the width,
            a window below 1. How far positions go is not looked at: it would stop an accelerator at
            every step.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 3.2, eq. 1. Causal: the same,
        3.2.3. Multi-query: Shazeer 2019, "Fast Transformer Decoding: One Write-Head is All You
        Need", section 3. Grouped-query: Ainslie et al. 2023, "GQA: Training Generalized Multi-Query
        Transformer Models from Multi-Head Checkpoints", section 2.2. Window: Beltagy et al. 2020,
        "Longformer", section 3.1. Norm: Henry et al. 2020, "Query-Key Normalization for
        Transformers". Gate: Qiu et al. 2025, "Gated Attention for Large Language Models", eq. 5.
    """

    def __init__(
        self,
        num_heads,
        causal=False,
        dropout=0.0,
        num_kv_heads=None,
        window=None,
        positions=None,
        qk_norm=False,
        gated=False,
        **kwargs,
    ):
        super().__init__(num_heads, num_kv_heads, dropout, qk_norm, gated, **kwargs)
        check_whole("SelfAttention", optional=True, window=window)
        self.causal = causal
        self.window = window
        self.positions = position_schemes.get(positions, self.dtype_policy, "SelfAttention")

    def build(
        self,
        query_shape,
        value_shape=None,
        key_shape=None,
        attention_mask_shape=None,
        cache_shape=None,
        position_shape=None,
    ):
        dim = query_shape[-1]
        self.divide(dim)
        self.projection = self.dense(dim + 2 * self.kv_dim, dim)
        self.build_heads(dim)
        self.positions.prepare(self.num_heads, self.head_width, self.causal)

    def empty_cache(self, batch, positions=0):
        """A `cache` of `batch` rows with nothing in it, to grow, or with room for `positions`.

        Keys are kept as they are compared, turned by a rotary scheme, so a step turns one key.
        """
        shape = (batch, self.num_kv_heads, positions, self.head_width)
        return tuple(ops.zeros(shape, dtype=self.compute_dtype) for _ in "kv")

    def call(
        self,
        query,
        value=None,
        key=None,
        mask=None,
        value_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        cache=None,
        position=None,
        return_cache=False,
        training=False,
    ):
        self._check_what_goes_together(query, value, key, mask, value_mask, cache)
        if value is None and value_mask is None:
            value_mask = mask
        memory = query if value is None else value
        grows = cache is not None and position is None
        shapes.check_shapes(self.name, query, memory, key, value_mask)
        shapes.check_cache(self.name, query, cache, position, self.num_kv_heads, self.head_width)
        keys = _count(memory, cache, grows)
        shapes.check_attention_mask(self.name, attention_mask, query, keys)
        if grows:
            position = ops.reshape(ops.shape(cache[0])[2], (1,))
        query, q, k, v = self._project(query, value, key, value_mask, position)
        places, key_places = _places(q, position), _places(k, position)
        q, k = self.positions.rotate(q, places), self.positions.rotate(k, key_places)
        seen = attend.both(attend.key_mask(value_mask), attention_mask)
        if cache is not None:
            at = None if grows else places
            k, v = (_remember(past, entry, at) for past, entry in zip(cache, (k, v), strict=True))
            key_places = _places(k)
            past = None if grows else attend.key_mask(key_places <= places)
            seen = attend.both(past, attention_mask)
        if self.window is not None:
            seen = attend.both(seen, attend.window_mask(places, key_places, self.window))
        answer, weights = self.attend_heads(
            q,
            k,
            v,
            mask=seen,
            causal=self.causal and cache is None,
            bias=self.positions.bias(q, places, key_places),
            more=self._more(places, key_places),
            training=training,
            weights_wanted=return_attention_scores,
        )
        answers = (self.project_output(query, answer),)
        answers += (weights,) if return_attention_scores else ()
        answers += ((k, v),) if return_cache else ()
        return answers if len(answers) > 1 else answers[0]

    def _check_what_goes_together(self, query, value, key, mask, value_mask, cache):
        if value is None:
            shapes.refuse(self.name, "goes with a `value`", key=key)
        if cache is not None:
            masks = {"mask": mask, "value_mask": value_mask}
            shapes.refuse(self.name, "does not go with a `cache`", value=value, **masks)
        shapes.check_mask(self.name, mask, query, names=("mask", "query"))
        for name, sequence in (("query", query), ("value", value), ("key", key)):
            if sequence is not None:
                shapes.check_sequence(self.name, name, sequence, self.dim)

    def _project(self, query, value, key, value_mask, position):
        """The queries as they came in, placed and blanked; then q, k and v by heads."""
        dim, kv_dim, groups = self.dim, self.kv_dim, self.num_kv_heads
        query = self.positions.embed(query, position)
        if value is None:
            query = attend.blank(query, value_mask)
            q, k, v = heads.split_projection(self.projection(query), self.num_heads, groups)
        else:
            key = self.positions.embed(value if key is None else key)
            value = self.positions.embed(value)
            q = self.projection(query)[..., :dim]
            k = self.projection(attend.blank(key, value_mask))[..., dim : dim + kv_dim]
            v = self.projection(attend.blank(value, value_mask))[..., dim + kv_dim :]
            q = heads.split_heads(q, self.num_heads)
            k, v = (heads.split_heads(part, groups) for part in (k, v))
        return query, self.norm_queries(q), self.norm_keys(k), v

    def _more(self, places, key_places):
        """The scheme's own part of the answer, a function of the weights; None for none."""
        if self.positions.context is None:
            return None
        return lambda weights: self.positions.context(weights, places, key_places)

    def get_config(self):
        return {
            **super().get_config(),
            "causal": self.causal,
            "window": self.window,
            "positions": keras.saving.serialize_keras_object(self.positions),
        }


def _places(sequence, position=None):
    """The positions that a sequence by heads stands at: `(1, length)`, or `(1 or batch, 1)`."""
    if position is None:
        return ops.expand_dims(ops.arange(ops.shape(sequence)[2], dtype="int32"), 0)
    return ops.expand_dims(ops.cast(position, "int32"), 1)


def _count(memory, cache, grows):
    """How many keys there will be; None where that is not known yet."""
    if cache is None:
        return memory.shape[1]
    past = cache[0].shape[2]
    return past + grows if isinstance(past, int) else past


def _remember(past, entry, position):
    """Keys or values so far with `entry (batch, heads, 1, width)` at `position (batch, 1)`.

    Without a position it stands behind them.
    """
    if position is None:
        return ops.concatenate([past, entry], axis=2)
    here = ops.equal(_places(past), position)[:, None, :, None]  # (batch, 1, positions, 1)
    return ops.where(here, entry, past)
