"""Decoding by chance."""

import tensorflow as tf

from zoo.decoding.hypotheses import IMPOSSIBLE
from zoo.decoding.rules import NO_RULES
from zoo.decoding.walk import walk

MOST = 1e6  # temperature


def sample(
    step, encoded, state, max_length, seed, temperature, top_k, top_p, count=1, rules=NO_RULES
):
    """Strings that are drawn token by token from the model's own distribution, or a part of it.

        p'(w) ~ p(w)^(1/temperature)   for the top_k most probable w, and of these for the fewest
                                       whose probabilities sum to top_p

    What a source gets depends on its seed and on nothing else in the batch: the same seed draws
    the same string, and the i-th of several is the same however many there are.

    Args:
        step, encoded, state, max_length, rules: as in `greedy`.
        seed: int `(batch,)`.
        temperature: float `(batch,)`; 1 for the model's own distribution, 0 or no number for
            greedy. Beyond `MOST`, that; nearer to 0 than 1 / `MOST`, that.
        top_k: int `(batch,)`; 0 for all tokens.
        top_p: float `(batch,)`; 1 for all tokens, 0 for greedy.
        count: how many strings for each source.

    Returns:
        `Hypotheses` with `log p(y | x)` under the model itself, temperature 1 and nothing cut.

    Reference:
        Fan, Lewis, Dauphin 2018, "Hierarchical Neural Story Generation", section 5.4 (top-k).
        Holtzman et al. 2020, "The Curious Case of Neural Text Degeneration", section 3.1 (top-p).
    """
    points = _points(seed, count, max_length)
    temperature, top_k, top_p = (
        tf.repeat(setting, count)[:, None] for setting in (temperature, top_k, top_p)
    )
    # At temperature 0 all the mass is on the first token. NaN is no number above 0, either.
    hot = temperature > 0
    top_k = tf.where(hot, top_k, 1)
    divisor = tf.where(hot, tf.clip_by_value(temperature, 1 / MOST, MOST), 1.0)

    def draw(gains, t):
        gains = tf.where(gains > IMPOSSIBLE / 2, gains / divisor, -float("inf"))
        gains, tokens = tf.math.top_k(gains, gains.shape[-1])
        ranks = tf.range(gains.shape[-1])[None]
        kept = (ranks < top_k) | (top_k <= 0)
        share = tf.nn.softmax(tf.where(kept, gains, -float("inf")))
        before = tf.cumsum(share, axis=-1, exclusive=True)
        share = tf.where((ranks == 0) | (before < top_p), share, 0.0)
        reached = tf.cumsum(share, axis=-1)
        point = points[:, t, None] * reached[:, -1:]
        place = tf.reduce_sum(tf.cast(reached <= point, tf.int32), axis=-1)
        likely = tf.reduce_sum(tf.cast(share > 0, tf.int32), axis=-1)
        return tf.gather(tokens, tf.minimum(place, likely - 1), batch_dims=1)

    return walk(step, encoded, state, max_length, draw, count, rules)


def _points(seed, count, length):
    """Where from 0 to 1 each draw falls, `(batch * count, length)`."""

    def of(seed):
        # A counter makes these, so that the first rows are the same however many follow.
        return tf.random.stateless_uniform([count, length], [seed, 0], alg="philox")

    signature = tf.TensorSpec([count, None], tf.float32)
    points = tf.map_fn(of, tf.cast(seed, tf.int32), fn_output_signature=signature)
    return tf.reshape(points, [tf.shape(seed)[0] * count, length])
