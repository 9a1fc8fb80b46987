"""Decoding with the zoo's models: the same whatever else is in the batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from zoo.decoding import Rules, beam_search, greedy
from zoo.text import START

SOURCE = np.array([[5, 6, 7, 3, 0, 0], [4, 9, 8, 7, 6, 3], [10, 3, 0, 0, 0, 0]], "int32")
# One of each kind; the others take their time.
QUICK = {
    "seq2seq-lstm",
    "bahdanau-coverage",
    "luong-general",
    "luong-local-m",
    "mocha",
    "gnmt",
    "transformer-rope",
}
PRESETS = [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
    for name, preset in zoo.PRESETS.items()
    if preset.model != "classifier"
]


@pytest.fixture(scope="module", params=PRESETS)
def model(request):
    """A model whose weights are large enough that its strings differ."""
    keras.utils.set_random_seed(1)
    recurrent = zoo.PRESETS[request.param].model == "recurrent"
    size = {"units": 12} if recurrent else {"dim": 12, "num_heads": 2, "num_layers": 1}
    model = zoo.build(request.param, source_vocabulary_size=12, target_vocabulary_size=10, **size)
    for weight in model.trainable_variables:
        if len(weight.shape) > 1:
            weight.assign(weight * 2.5)
    return model


def decode(model, source, search, *args, **kwargs):
    encoded = model.encode(tf.constant(source))
    state = model.start(encoded)
    return search(lambda t, given: model.step((t, given)), encoded, state, 7, *args, **kwargs)


SEARCHES = {"greedy": (greedy,), "beam": (beam_search, 3)}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_batched_equals_alone(model, search):
    together = decode(model, SOURCE, *search)
    for row, source in enumerate(SOURCE):
        alone = decode(model, source[None, : np.count_nonzero(source)], *search)
        length = int(alone.lengths[0, 0])
        assert int(together.lengths[row, 0]) == length
        np.testing.assert_array_equal(together.tokens[row, 0, :length], alone.tokens[0, 0, :length])
        np.testing.assert_allclose(together.scores[row], alone.scores[0], atol=1e-4)


def test_score_is_the_forced_score(model):
    """What the search says of its string is what teacher forcing says of it."""
    found = decode(model, SOURCE, beam_search, 3, n_best=3, alpha=0.8)
    for n in range(3):
        string = found.tokens[:, n]
        start = tf.fill([len(SOURCE), 1], 2)
        logits = model((tf.constant(SOURCE), tf.concat([start, string[:, :-1]], 1)))
        gains = tf.gather(tf.nn.log_softmax(logits), string, axis=2, batch_dims=2)
        within = tf.sequence_mask(found.lengths[:, n], string.shape[1], gains.dtype)
        np.testing.assert_allclose(
            tf.reduce_sum(gains * within, 1), found.log_probabilities[:, n], atol=1e-4
        )


def test_alignment_sums_to_one_and_leaves_padding_alone(model):
    monotonic = str(model.get_config().get("attention")).endswith(
        ("chunkwise", "monotonic", "local-p")
    )
    found = decode(model, SOURCE, beam_search, 3)
    alignment = found.alignment[:, 0].numpy()
    if not model.has_attention:
        assert alignment.shape[-1] == 0
        return
    for row, length in enumerate(found.lengths[:, 0].numpy()):
        totals = alignment[row, :length].sum(-1)
        expected = np.minimum(totals, 1) if monotonic else 1  # some of it may run past the end
        np.testing.assert_allclose(totals, np.broadcast_to(expected, length), atol=1e-5)
        assert not alignment[row][:, SOURCE[row] == 0].any()


def test_the_alignment_is_that_of_the_hypothesis(model):
    """Of each of the n best, whatever beams it went through: what teacher forcing looks at."""
    if not model.has_attention:
        pytest.skip("no attention")
    rules = Rules(no_repeat=3)
    penalties = {"alpha": 0.8, "beta": 0.2, "source_mask": SOURCE != 0, "diversity": 0.3}
    found = decode(model, SOURCE, beam_search, 4, n_best=4, rules=rules, **penalties)
    vectors = model.source_embedding(SOURCE)
    for n in range(4):
        string = found.tokens[:, n]
        start = tf.fill([len(SOURCE), 1], START)
        given = tf.concat([start, string[:, :-1]], 1)
        _, attention = model.forced((vectors, tf.constant(SOURCE != 0), given))
        attention = np.mean(attention[-1], axis=1)  # of the last layer, over its heads
        within = tf.sequence_mask(found.lengths[:, n], string.shape[1], tf.float32)
        np.testing.assert_allclose(found.alignment[:, n], attention * within[..., None], atol=1e-5)
