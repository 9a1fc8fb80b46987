"""A model asked what each source token did for each target token."""

import numpy as np
import tensorflow as tf

from zoo.decoding import forced_gains
from zoo.explain.attribution import METHODS, STEPS, Attribution
from zoo.explain.integrating import between, first, grouped, trapezoids, unfinished
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
                total = tf.reduce_sum(tf.gather(found, places, axis=1, batch_dims=1), axis=0)
            # By a loop: vectorised, it would have to find its way through the recurrent loops.
            return tape.jacobian(total, factors, experimental_use_pfor=False)

        self._gains = tf.function(gains, input_signature=[vectors, mask, ids])
        self._slopes = tf.function(slopes, input_signature=[vectors, mask, ids, factors, ids])

    def attribute(self, method, source, target, steps=STEPS):
        """Attributions of the sentences of a batch.

        Args:
            method: one of `METHODS`.
            source: int `(batch, source length)`, PAD behind END.
            target: int `(batch, 1 + target length)`, START in front, PAD behind END.
            steps: of integrated gradients, at most.

        Returns:
            A list of `Attribution`, cut to the lengths of the sentences.

        Raises:
            ValueError: for an unknown method, or no steps.
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

        The integral is taken by the trapezoidal rule, whose intervals are halved, up to `steps`
        of them, until the completeness residual is no more than `COMPLETE`: see `integrating`.

        Reference:
            Sundararajan, Taly, Yan 2017, "Axiomatic Attribution for Deep Networks", eq. 1.
        """
        count, change = first(steps), self._change(source, target)
        left = np.ones(change.shape, bool)
        values = self._along(*trapezoids(count), source, target, every(target))
        while 2 * count <= steps and left.any():
            left = unfinished(values, change, left)
            for rows, places in grouped(left):
                own = tf.gather(source, rows), tf.gather(target, rows), places
                where = rows[:, None], places
                values[where] = (values[where] + self._along(*between(count), *own)) / 2
            count *= 2
        return values

    def _along(self, where, weights, source, target, places):
        """The weighted sum of the slopes at the points of a path."""
        at_once = max(1, self.rows // len(source))
        parts = [slice(i, i + at_once) for i in range(0, len(where), at_once)]
        return sum(
            np.tensordot(
                weights[part], self._slopes_at(where[part], source, target, places), axes=1
            )
            for part in parts
        )

    def input_x_gradient(self, source, target):
        """`x_s . dF_t(x) / dx_s`: integrated gradients' last point alone."""
        return self._slopes_at(np.ones(1), source, target, every(target))[0]

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

    def _slopes_at(self, where, source, target, places):
        """`dF_t / d alpha_s` at each point: `(points, batch, places, source length)`."""
        batch, length = source.shape
        ones = [len(where), 1]
        slopes = self._slopes(
            tf.tile(self._embed(source), [*ones, 1]),
            tf.tile(source != PAD, ones),
            tf.tile(target, ones),
            tf.constant(np.repeat(where, batch)[:, None] * np.ones(length), tf.float32),
            tf.constant(np.tile(places, ones), tf.int32),
        )
        slopes = slopes.numpy().reshape(-1, len(where), batch, length)
        return slopes.transpose(1, 2, 0, 3)


def every(target):
    """The places of all that is said: `(batch, target length)`."""
    batch, length = target.shape
    return np.tile(np.arange(length - 1), (batch, 1))
