"""The layer that every score-based attention is built on."""

import keras
from keras import ops

from zoo.layers import attend, loop


@keras.saving.register_keras_serializable("zoo")
class Attention(keras.layers.Layer):
    """Attention by a score, whichever it is.

        a_ij = softmax_j(score(q_i, k_j)),   c_i = sum_j a_ij v_j

    The base of `LuongAttention` and `BahdanauAttention`, and of an attention of your own: give
    `score`, and `project_key` where a part of the score depends on the keys alone. That part is
    computed once for a sequence, not once for a decoding step.

    An attention that remembers from query to query gives `start`, its state before the first one,
    and `align`, which takes a state and gives the next. Where the answer to a query hangs on the
    answers to those before, `parallel = False` has them walked through one by one.

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

    Reference:
        Bahdanau, Cho, Bengio 2015, "Neural Machine Translation by Jointly Learning to Align and
        Translate", section 3.1, eq. 5 and 6.
    """

    parallel = True

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def project_key(self, key):
        """What `score` needs of the keys: `(batch, keys, dim)` -> `(batch, keys, units)`."""
        return key

    def score(self, query, key):
        """`(batch, queries, keys)` from queries and projected keys."""
        raise NotImplementedError(f"{type(self).__name__} gives no `score(query, key)`.")

    def start(self, value, training=False):
        """The state before the first query: a list of `(batch, width)`, one row a row of `value`.

        It comes from `value` by `ops.zeros_like` and the like, never by `ops.shape`, so that
        symbolic tensors will do.
        """
        return []

    def align(self, query, key, mask, state):
        """The weights, and the state after.

        Args:
            query: `(batch, queries, dim)`.
            key: `(batch, keys, units)`, projected.
            mask: boolean `(batch, 1, keys)`, or None.
            state: list of `(batch, queries, width)`: what each query has of the state. One query
                each of several hypotheses is told from several queries by that alone.
        """
        return attend.masked_softmax(self.score(query, key), mask), state

    def attend(self, query, value, key, value_mask=None, state=()):
        """Context, weights and state, for a key that went through `project_key` and a blank value.

        `query` may hold several rows for each row of `value` (the hypotheses of a beam), in which
        case the rows of one source lie together; so does `state`.
        """
        if not self.parallel and query.shape[1] != 1:
            return self._walk(query, value, key, value_mask, state)
        spread = [attend.per_source(self.spread(part, query), value) for part in state]
        weights, spread = self.align(
            attend.per_source(query, value), key, attend.key_mask(value_mask), spread
        )
        context = attend.weighted_sum(weights, value)
        state = [attend.per_hypothesis(part, query)[:, -1] for part in spread]
        return attend.per_hypothesis(context, query), attend.per_hypothesis(weights, query), state

    def spread(self, part, query):
        """A part of the state `(rows, width)`, as each of the queries finds it."""
        return ops.expand_dims(part, 1)

    def _walk(self, query, value, key, value_mask, state):
        """`attend`, query by query."""

        def step(query, state):
            *answer, state = self.attend(query[:, None], value, key, value_mask, state)
            return ops.concatenate([part[:, 0] for part in answer], axis=-1), state

        steps, state = loop.over_time(step, query, list(state))
        return *loop.split(steps, value.shape[-1]), state

    def call(
        self,
        query,
        value,
        key=None,
        value_mask=None,
        return_attention_scores=False,
        training=False,
    ):
        attend.check_shapes(self.name, query, value, key, value_mask)
        projected = self.project_key(attend.blank(value if key is None else key, value_mask))
        value = attend.blank(value, value_mask)
        state = self.start(value, training)
        context, weights, _ = self.attend(query, value, projected, value_mask, state)
        return (context, weights) if return_attention_scores else context
