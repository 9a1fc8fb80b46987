"""A model asked what each source token did for each target token."""

import numpy as np
import tensorflow as tf

from zoo.decoding import forced_gains
from zoo.explain.attribution import METHODS, STEPS, Attribution
from zoo.explain.integrating import grouped, integrated
from zoo.explain.leaving_out import without_each
from zoo.text import PAD


class Attributor:
    """Attributions of a model's log-probabilities `F_t = log p(y_t | y_<t, x)` to source tokens.

    A source token's embedding is scaled by a number of its own, `x_s(alpha) = alpha_s x_s`. So
    each attribution to a token is one number's, and no embedding is as wide as the answer. The
    baseline is the embedding 0, of all tokens, on the same positions: padding's embedding would be
    the other choice, but no gradient ever reaches it, and it stays the noise it began as.

    Args:
        model: a translator of `zoo.models`.
        rows: most rows that go through the model at once.
    """

    def __init__(self, model, rows=512):
        self.model = model
        self.rows = rows
        width = model.source_embedding.output_dim
        ids = tf.TensorSpec((None, None), tf.int32)
        vectors = tf.TensorSpec((None, None, width), tf.float32)
        mask, factors = tf.TensorSpec((None, None), tf.bool), tf.TensorSpec((None, None))
        forced = model.forced  # made here: a graph that is traced would own its constants

        def gains(vectors, mask, target):
            logits, _ = forced((vectors, mask, target[:, :-1]))
            return forced_gains(logits, target[:, 1:])

        def slopes(vectors, mask, target, factors, places):
            with tf.GradientTape() as tape:
                tape.watch(factors)
                found = gains(factors[..., None] * vectors, mask, target)
                found = tf.gather(found, places, axis=1, batch_dims=1)
                total = tf.reduce_sum(found, axis=0)
            # By a loop: vectorised, it would have to find its way through the recurrent loops.
            return found, tape.jacobian(total, factors, experimental_use_pfor=False)

        self._gains = tf.function(gains, autograph=False, input_signature=[vectors, mask, ids])
        self._slopes = tf.function(
            slopes, autograph=False, input_signature=[vectors, mask, ids, factors, ids]
        )

    def attribute(self, method, source, target, steps=STEPS):
        """Attributions of the sentences of a batch.

        Args:
            method: one of `METHODS`.
            source: int `(batch, source length)`, PAD behind END.
            target: int `(batch, 1 + target length)`, START in front, PAD behind END.
            steps: of integrated gradients, 2 or more: the shortest is one such part of the way.

        Returns:
            A list of `Attribution`, cut to the lengths of the sentences.

        Raises:
            ValueError: for an unknown method, or fewer steps than 2.
        """
        ways = {
            "integrated-gradients": lambda *given: self.integrated_gradients(*given, steps),
            "input-x-gradient": self.input_x_gradient,
            "leave-one-out": self.leave_one_out,
        }
        if method not in ways:
            raise ValueError(f"no attribution {method!r}; there are {', '.join(METHODS)}")
        source, target = tf.cast(source, tf.int32), tf.cast(target, tf.int32)
        values, change = ways[method](source, target), self._change(source, target)
        lengths = ((target[:, 1:] != PAD).numpy().sum(1), (source != PAD).numpy().sum(1))
        return [
            Attribution(method, values[i, :targets, :sources], change[i, :targets])
            for i, (targets, sources) in enumerate(zip(*lengths, strict=True))
        ]

    def integrated_gradients(self, source, target, steps=STEPS):
        """Integrated gradients: `(batch, target length, source length)`.

            a_ts = x_s . int_0^1 dF_t(alpha x) / dx_s d alpha

        The integral is taken in panels, which are halved where they are off, to parts of `steps`,
        until the completeness residual is no more than `COMPLETE`: see `integrating`.

        Reference:
            Sundararajan, Taly, Yan 2017, "Axiomatic Attribution for Deep Networks", eq. 1.
        """
        rows, places = said(target)

        def ask(tokens, where):
            return self._slopes_at(source, target, rows[tokens], places[tokens], where)

        return self._spread(integrated(ask, rows, steps), source, target)

    def input_x_gradient(self, source, target):
        """`x_s . dF_t(x) / dx_s`: integrated gradients' last point alone."""
        rows, places = said(target)
        _, slopes = self._slopes_at(source, target, rows, places, np.ones(len(rows)))
        return self._spread(slopes, source, target)

    def leave_one_out(self, source, target):
        """`F_t(x) - F_t(x without token s)`: what is lost with a token. Slow, and no derivative.

        Reference:
            Li, Monroe, Jurafsky 2016, "Understanding Neural Networks through Representation
            Erasure", eq. 1.
        """
        length = source.shape[1]
        shorter = without_each(source.numpy())  # (batch * length, length)
        gains = [
            self._forced_gains(shorter[i : i + self.rows], target_rows)
            for i in range(0, len(shorter), self.rows)
            for target_rows in [np.repeat(target, length, axis=0)[i : i + self.rows]]
        ]
        lost = np.concatenate(gains).reshape(len(source), length, -1)
        return (self._forced_gains(source, target)[:, None] - lost).swapaxes(1, 2)

    def _forced_gains(self, source, target):
        source = tf.convert_to_tensor(source)
        return self._gains(self._embed(source), source != PAD, target).numpy()

    def _change(self, source, target):
        vectors, mask = self._embed(source), source != PAD
        nothing = self._gains(tf.zeros_like(vectors), mask, target)
        return (self._gains(vectors, mask, target) - nothing).numpy()

    def _embed(self, source):
        return tf.cast(self.model.source_embedding(source), tf.float32)

    def _slopes_at(self, source, target, rows, places, where):
        """`F_t` and `dF_t / d alpha_s` of tokens at points: `(n,)` and `(n, source length)`."""
        gains, slopes = np.empty(len(rows)), np.empty((len(rows), source.shape[1]))
        for tokens in grouped(rows, where, self.rows):
            points = tokens[:, 0]
            own = tf.gather(source, rows[points])
            factors = np.repeat(where[points, None], source.shape[1], axis=1)
            found, derivatives = self._slopes(
                self._embed(own),
                own != PAD,
                tf.gather(target, rows[points]),
                tf.constant(factors, tf.float32),
                tf.constant(places[tokens], tf.int32),
            )
            gains[tokens], slopes[tokens] = found, derivatives.numpy().swapaxes(0, 1)
        return gains, slopes

    @staticmethod
    def _spread(values, source, target):
        """Values of tokens at their places, and 0 at padding."""
        spread = np.zeros((len(target), target.shape[1] - 1, source.shape[1]))
        spread[said(target)] = values
        return spread


def said(target):
    """Where tokens are said, in sentence after sentence: their rows and places."""
    return np.nonzero(np.asarray(target)[:, 1:] != PAD)
