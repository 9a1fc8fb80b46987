"""What a position scheme is: where in attention the order of the elements comes in."""

import keras


@keras.saving.register_keras_serializable("zoo")
class Positions(keras.layers.Layer):
    """No positions at all: attention then sees a bag of elements. The base of every scheme.

    Order can enter attention at four places, each a method that does nothing here. A scheme gives
    the one it is about; the attention layer asks all of them, and so takes any scheme.

        x_p + e_p                         embed:   absolute schemes
        R_p q_p . R_j k_j                 rotate:  rotary
        q_p . k_j + b(p, j)               bias:    ALiBi, T5, Shaw's keys
        sum_j a_pj v_j + sum_j a_pj r_pj  context: Shaw's values

    Positions come as int `(1 or batch, length)`, so that the one query of a decoding step stands
    where it belongs, and each row of the batch may stand elsewhere.

    Reference:
        Vaswani et al. 2017, "Attention Is All You Need", section 3.5, for why order must come in.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.made_for = None

    def prepare(self, num_heads, width, causal):
        """Make what the scheme learns for attention of `num_heads` heads of `width`. Again: no-op.

        Raises:
            ValueError: where the scheme can't do with such heads, or learns for others already.
        """

    def first_for(self, kind):
        """Whether it is the first attention that comes; a later one must be of the same `kind`."""
        first = self.made_for is None
        if not first and kind != self.made_for:
            raise ValueError(
                f"{self.name}: made for attention of {self.made_for}, got one of {kind}; "
                "give each a scheme of its own."
            )
        self.made_for = kind
        return first

    def of_layer(self):
        """The scheme as one attention layer of a stack uses it: itself, so that layers share."""
        return self

    def embed(self, inputs, start=None):
        """`inputs (batch, length, dim)`, placed: the first at `start (1 or batch,)`, or at 0."""
        return inputs

    def rotate(self, sequence, positions):
        """Queries or keys `(batch, heads, length, width)`, turned by their positions."""
        return sequence

    def bias(self, query, query_positions, key_positions):
        """What is added to the scores, `(1 or batch, heads, queries, keys)`; None for nothing.

        `query` is `(batch, heads, queries, width)`, not scaled.
        """
        return

    # `weights (batch, heads, queries, keys), query_positions, key_positions -> (batch, heads,
    # queries, width)`, added to the mixed values. A scheme that gives it makes attention keep its
    # weights, so it is None where there is none.
    context = None

    def call(self, inputs, start=None):
        return inputs

    def get_config(self):
        # Keras wants it overridden where a dtype policy was passed.
        return super().get_config()
