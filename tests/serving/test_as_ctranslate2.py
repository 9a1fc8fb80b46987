"""A model that CTranslate2 runs says what it says here."""

import numpy as np
import pytest
import tensorflow as tf

import zoo
from serving.as_ctranslate2 import specification, write_ctranslate2
from zoo.decoding import forced_gains
from zoo.text import WordTokenizer
from zoo.text.vocabulary import SPECIAL_PIECES

ctranslate2 = pytest.importorskip("ctranslate2")

WORDS = [chr(ord("a") + i) for i in range(16)]
PIECES = [*SPECIAL_PIECES, *WORDS]
SIZES = {"source_vocabulary_size": len(PIECES), "target_vocabulary_size": len(PIECES)}
SMALL = {**SIZES, "dim": 16, "hidden_dim": 24, "num_layers": 2, "num_heads": 4}
MODELS = {
    "plain": {},
    "post-norm": {"norm_first": False, "activation": "gelu"},
    "tied": {"tie_embeddings": True, "share_embeddings": True, "positions": "learned"},
    "gated": {"gated_feed_forward": True, "activation": "silu", "norm": "rms"},
    "grouped": {"num_kv_heads": 2, "positions": "noise"},
    "multi-query": {"num_kv_heads": 1},
}


def drawn(**settings):
    """A model whose weights are all drawn, the biases and norms too."""
    model, rng = zoo.build("transformer-lite", **SMALL, **settings), np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(weight + 0.1 * rng.normal(size=weight.shape))
    return model


def translator(model):
    return zoo.Translator(model, WordTokenizer(PIECES), WordTokenizer(PIECES))


@pytest.mark.peer
@pytest.mark.parametrize("settings", MODELS.values(), ids=MODELS)
def test_every_token_has_the_score_that_it_has_here(settings, tmp_path):
    model, rng = drawn(**settings), np.random.default_rng(1)
    write_ctranslate2(translator(model), tmp_path / "model")
    source, target = rng.integers(4, len(PIECES), (2, 5, 7))
    source[:, -1] = target[:, -1] = 3
    there = ctranslate2.Translator(str(tmp_path / "model"), intra_threads=1)
    named = [[PIECES[i] for i in row] for row in source]
    # The end is scored there without being given.
    scored = there.score_batch(named, [[PIECES[i] for i in row[:-1]] for row in target])
    before = np.pad(target[:, :-1], [(0, 0), (1, 0)], constant_values=2)
    expected = forced_gains(model((source, before)), tf.constant(target))
    got = [result.log_probs for result in scored]
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.peer
@pytest.mark.parametrize(
    "settings",
    [
        {"positions": "rotary"},
        {"window": 3},
        {"qk_norm": True},
        {"gated_attention": True},
        {"activation": "tanh"},
    ],
)
def test_a_model_that_it_does_not_know_is_refused(settings):
    with pytest.raises(ValueError, match="CTranslate2 has no model like this one"):
        specification(zoo.build("transformer-lite", **SMALL, **settings), 9)


@pytest.mark.peer
def test_a_recurrent_model_is_refused():
    model = zoo.build("bahdanau-gru", **SIZES, units=4, embedding_dim=4)
    with pytest.raises(ValueError, match="it runs Transformers alone"):
        specification(model, 9)


@pytest.mark.peer
def test_a_folder_that_exists_is_left_alone(tmp_path):
    (tmp_path / "model").mkdir()
    with pytest.raises(FileExistsError, match="name a folder that does not"):
        write_ctranslate2(translator(drawn()), tmp_path / "model")
    assert not list((tmp_path / "model").iterdir())
