"""The layer that every score-based attention is built on."""

import keras
from keras import ops

from zoo.layers import attend, loop, shapes


@keras.saving.register_keras_serializable("zoo")
class Attention(keras.layers.Layer):
    """Attention by a score, whichever it is.

        a_ij = softmax_j(score(q_i, k_j)),   c_i = sum_j a_ij v_j

    The base of `LuongAttention` and `BahdanauAttention`, and of an attention of your own: give
    `score`, and `project_key` where a part of the score depends on the keys alone. That part is
    computed once for a sequence, not once for a decoding step.

    An attention that remembers from query to query gives `start`, its state before the first one,
    and `align`, which takes a state and gives the next; one that is random in training, `draw`.
    Where the answer to a query hangs on the answers to those before, `parallel = False` has them
    walked through one by one.

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

    def build(self, query_shape, value_shape, key_shape=None):
        """Make what is learned: here nothing."""

    def project_key(self, key):
        """What `score` needs of the keys: `(batch, keys, dim)` -> `(batch, keys, units)`."""
        return key

    def score(self, query, key):
        """`(batch, queries, keys)` from queries and projected keys."""
        raise NotImplementedError(f"{type(self).__name__} gives no `score(query, key)`.")

    def start(self, value):
        """The state before the first query: a list of `(batch, width)`, one row a row of `value`.

        It comes from `value` by `ops.zeros_like` and the like, never by `ops.shape`, so that
        symbolic tensors will do.
        """
        return []

    def draw(self, query, value):
        """What is random about the queries in training: a list of `(batch, queries, width)`.

        All at once and before any loop, since not every backend can draw inside of one. Of `query`
        and `value` the batch and the lengths count.
        """
        return []

    def align(self, query, key, mask, state):
        """The weights, and the state after.

        Args:
            query: `(batch, queries, dim)`.
            key: `(batch, keys, units)`, projected.
            mask: boolean `(batch, 1, keys)`, or None.
            state: list of `(batch, queries, width)`: what each query has of the state, and what
                `draw` drew for it, which is not part of the state after. One query each of several
                hypotheses is told from several queries by that alone.
        """
        return attend.masked_softmax(self.score(query, key), mask), state

    def attend(self, query, value, key, value_mask=None, state=(), drawn=()):
        """Context, weights and state, for a key that went through `project_key` and a blank value.

        `query` may hold several rows for each row of `value` (the hypotheses of a beam), in which
        case the rows of one source lie together; so does `state`.
        """
        if not self.parallel and query.shape[1] != 1:
            return self._walk(query, value, key, value_mask, state, drawn)
        found = [*(self.spread(part, query) for part in state), *drawn]
        spread = [attend.per_source(part, value) for part in found]
        weights, spread = self.align(
            attend.per_source(query, value), key, attend.key_mask(value_mask), spread
        )
        context = attend.weighted_sum(weights, value)
        state = [attend.per_hypothesis(part, query)[:, -1] for part in spread]
        return attend.per_hypothesis(context, query), attend.per_hypothesis(weights, query), state

    def spread(self, part, query):
        """A part of the state `(rows, width)`, as each of the queries finds it."""
        return ops.expand_dims(part, 1)

    def _walk(self, query, value, key, value_mask, state, drawn):
        """`attend`, query by query."""

        def step(query, state, *drawn):
            query, *drawn = (ops.expand_dims(part, 1) for part in (query, *drawn))
            *answer, state = self.attend(query, value, key, value_mask, state, drawn)
            return ops.concatenate([part[:, 0] for part in answer], axis=-1), state

        steps, state = loop.over_time(step, query, list(state), drawn)
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
        shapes.check_shapes(self.name, query, value, key, value_mask)
        query, value, key = (attend.real(x, self.compute_dtype) for x in (query, value, key))
        projected = self.project_key(attend.blank(value if key is None else key, value_mask))
        value = attend.blank(value, value_mask)
        drawn = self.draw(query, value) if training else []
        state = self.start(value)
        context, weights, _ = self.attend(query, value, projected, value_mask, state, drawn)
        return (context, weights) if return_attention_scores else context
