"""The output projection and its loss in one, for TensorFlow, which computes op by op."""

import keras
import tensorflow as tf

LOGITS = 2**22  # of them there are so many at a time, 16 megabytes,
ROWS = 128  # or those of so many rows: with fewer, W's gradient is written more than added to


def linear_crossentropy(x, matrix, bias, labels, smoothing):
    """The loss of `TokenCrossentropy` of the logits `x W + b`, which are never there all at once.

        loss = mean_n(-sum_v q_nv log p_nv),   p_n = softmax(x_n W + b)
        d loss / d x = (p - q) W^T / N,   d loss / d W = x^T (p - q) / N

    Both gradients are computed beside the loss, from the logits of a few rows, so that no logits
    are kept or computed twice. Padding is not projected. Most of the time goes into the three
    matrix products then; TensorFlow's own loss takes as long again.

    Args:
        x: float32 `(batch, length, dim)`.
        matrix, bias: `W (dim, vocabulary)` and `b (vocabulary,)` or None.
        labels: int `(batch, length)`, 0 where there is padding.
        smoothing: `e`; `q_nv = (1 - e) [v = y_n] + e / V`.

    Returns:
        The loss, and for each of the N labels that are no padding whether its logit is the largest.

    Reference:
        Hsu et al. 2025, "Liger Kernel: Efficient Triton Kernels for LLM Training", section 3.2.
    """
    labels = tf.cast(tf.reshape(labels, (-1,)), "int32")
    tokens = tf.where(labels != 0)[:, 0]
    x = tf.gather(tf.reshape(x, (-1, x.shape[-1])), tokens)
    matrix = tf.convert_to_tensor(matrix)
    if bias is not None:
        x = tf.concat([x, tf.ones_like(x[:, :1])], axis=1)
        matrix = tf.concat([matrix, bias[None]], axis=0)
    return _loss(x, matrix, tf.gather(labels, tokens), float(smoothing))


def rows_at_a_time(vocabulary):
    """Of how many positions there are logits at a time."""
    return max(ROWS, LOGITS // vocabulary)


@tf.custom_gradient
def _loss(x, matrix, labels, smoothing):
    (dim, vocabulary), count = matrix.shape, tf.shape(x)[0]
    size = rows_at_a_time(vocabulary)
    parts = tf.maximum(-(-count // size), 1)
    mean_column = tf.reduce_mean(matrix, axis=1)

    def add(part, total, by_matrix, by_x, right):
        rows = slice(part * size, (part + 1) * size)
        logits = tf.matmul(x[rows], matrix)
        p = tf.nn.softmax(logits)
        largest = tf.reduce_max(logits, axis=1)
        labelled = tf.gather(logits, labels[rows], batch_dims=1)
        # The largest p is no less than 1 / V: its logarithm exists, whatever the label's p is.
        log_sum = largest - tf.math.log(tf.reduce_max(p, axis=1))
        at_labels = tf.stack([tf.range(tf.size(labelled)), labels[rows]], axis=1)
        by_logits = tf.tensor_scatter_nd_sub(
            p, at_labels, tf.fill(tf.shape(labelled), 1 - smoothing)
        )
        return (
            part + 1,
            total + tf.reduce_sum(log_sum - (1 - smoothing) * labelled),
            by_matrix + tf.matmul(x[rows], by_logits, transpose_a=True),
            by_x.write(part, tf.matmul(by_logits, matrix, transpose_b=True)),
            right.write(part, labelled >= largest),
        )

    def array(dtype, *shape):
        return tf.TensorArray(dtype, parts, infer_shape=False, element_shape=(None, *shape))

    start = 0, 0.0, tf.zeros_like(matrix), array(x.dtype, dim), array(tf.bool)
    _, total, by_matrix, by_x, right = tf.while_loop(
        lambda part, *_: part < parts, add, start, parallel_iterations=1
    )
    # What e / V of each logit amounts to.
    total -= smoothing * tf.reduce_sum(tf.linalg.matvec(x, mean_column))
    by_matrix -= smoothing / vocabulary * tf.reduce_sum(x, axis=0)[:, None]
    by_x = by_x.concat() - smoothing * mean_column
    share = 1 / tf.maximum(tf.cast(count, x.dtype), 1)

    def gradient(of_loss, _):
        return of_loss * share * by_x, of_loss * share * by_matrix, None, None

    return (total * share, right.concat()), gradient


class LinearLearner(keras.Model):
    """A translator whose loss in `fit` is `linear_crossentropy`, whatever it is compiled with.

    Otherwise it is the translator; how good that is, `Judge` says.

    Args:
        model: the translator, built.
        smoothing: of the labels.
    """

    def __init__(self, model, smoothing):
        super().__init__()
        self.model = model
        self.smoothing = smoothing
        self.rows_at_a_time = rows_at_a_time(model.output_shape[-1])
        self.accuracy = keras.metrics.Mean(name="accuracy")
        self.built = True

    def compile(self, optimizer, loss, metrics, **kwargs):
        super().compile(optimizer, loss, **kwargs)  # The accuracy comes with the loss.

    def call(self, inputs, training=None):
        return (self.model.unprojected if training else self.model)(inputs, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if not training:
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        if sample_weight is not None:
            raise ValueError("got sample weights, and each token counts alike here: give none")
        weights = self.model.output_weights
        loss, right = linear_crossentropy(y_pred, *weights, y, self.smoothing)
        self.accuracy.update_state(right)
        return loss

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return self.get_metrics_result()
