"""What a model says of strings that it is given."""

import tensorflow as tf

from zoo.text.vocabulary import PAD


def forced_gains(logits, target):
    """Log-probability of each token of given strings: float32 `(batch, length)`, 0 on PAD.

        log p(y | x) = sum_t log p(y_t | y_<t, x)

    Args:
        logits: `(batch, length, vocabulary)`, of a model that was fed `target` shifted right.
        target: int `(batch, length)`, END counted, PAD behind it.
    """
    said = tf.nn.log_softmax(tf.cast(logits, tf.float32))
    gains = tf.gather(said, target, axis=2, batch_dims=2)
    return tf.where(target == PAD, 0.0, gains)
