"""What holds for every preset, in the small."""

import keras
import numpy as np
import pytest
from keras import ops
from numpy.testing import assert_allclose

import zoo.models
from zoo.models import PRESETS

SMALL = {
    "recurrent": {"embedding_dim": 10, "units": 16},
    "transformer": {"dim": 16, "num_layers": 2, "hidden_dim": 20},
}
TRANSLATORS = [name for name, preset in PRESETS.items() if preset.model in SMALL]
SIZES = {"source_vocabulary_size": 12, "target_vocabulary_size": 13}
# What is left of their weights, a Gaussian or the source's end has taken.
PARTIAL = ("luong-local-p", "luong-monotonic", "bahdanau-monotonic", "bahdanau-chunkwise")
OFTEN_TIED = ("bahdanau-gru", "luong-local-p", "transformer-lite")
# One of each way to attend, beside those that are tied; the others' files take their time.
QUICK = ("seq2seq-gru", "luong-local-p", "mocha", "transformer-shaw")
TIED = {"source_vocabulary_size": 13, "tie_embeddings": True, "share_embeddings": True}
LENGTHS = np.array([[6], [4], [1]])
close = {"rtol": 1e-4, "atol": 1e-5}


def build(name, /, **overrides):
    return zoo.models.build(name, **{**SIZES, **SMALL[PRESETS[name].model], **overrides})


@pytest.fixture(
    scope="module",
    params=[
        *((name, {}) for name in TRANSLATORS),
        *((name, TIED) for name in OFTEN_TIED),
    ],
    ids=[*TRANSLATORS, *(f"{name}-tied" for name in OFTEN_TIED)],
)
def model(request):
    """The preset, with weights too large for anything to go unnoticed."""
    name, overrides = request.param
    model, rng = build(name, name="model", **overrides), np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.3, weight.shape) for weight in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def source():
    """Sources 6, 4 and 1 long, padded to 6."""
    return np.random.default_rng(1).integers(1, 12, (3, 6)) * (np.arange(6) < LENGTHS)


@pytest.fixture(scope="module")
def target():
    return np.random.default_rng(2).integers(1, 13, (3, 5))


@pytest.fixture(scope="module")
def logits(model, source, target):
    """By teacher forcing."""
    return numbers(model((source, target)))


@pytest.fixture(scope="module")
def stepwise(model, source, target):
    """The logits and the attention of decoding one token at a time."""
    encoded = model.encode(source)
    return decode(model.step, encoded, model.start(encoded), target)


def numbers(tensor):
    return ops.convert_to_numpy(tensor)


def tensors(arrays):
    return {name: ops.convert_to_tensor(array) for name, array in arrays.items()}


def decode(step, encoded, state, target):
    """The logits and the attention `(batch, length, ...)` of decoding one token at a time."""
    steps = []
    for tokens in target.T:
        tokens = ops.convert_to_tensor(tokens)
        logits, state, attention = step((tokens, {**encoded, **state}))
        steps.append((numbers(logits), numbers(attention)))
    return [np.stack(parts, axis=1) for parts in zip(*steps, strict=True)]


def test_step_by_step_equals_teacher_forcing(model, source, logits, stepwise):
    assert_allclose(stepwise[0], logits, **close)
    attention = stepwise[1]
    assert attention.shape == (3, 5, 6 if model.has_attention else 0)
    if model.has_attention:
        assert (attention >= 0).all()
        if model.get_config().get("attention") not in PARTIAL:
            assert_allclose(attention.sum(-1), 1, rtol=1e-5)
        assert (attention.sum(-1) < 1 + 1e-5).all()
        assert (attention.swapaxes(1, 2)[source == 0] == 0).all()


def test_a_state_of_one_shape_decodes_alike(model, source, target, logits):
    if "units" in model.get_config():  # a recurrent state has one shape anyway
        assert model.step_in_room is model.step
        return
    encoded = model.encode(source)
    state = model.start(encoded, 8)
    assert_allclose(decode(model.step_in_room, encoded, state, target)[0], logits, **close)
    _, after, _ = model.step_in_room((ops.convert_to_tensor(target[:, 0]), {**encoded, **state}))
    for name, before in state.items():
        assert after[name].shape == before.shape


def test_the_forced_view_is_the_same_pass_with_its_attention(
    model, source, target, logits, stepwise
):
    vectors, mask = model.source_embedding(source), ops.convert_to_tensor(source != 0)
    forced, attention = model.forced((vectors, mask, ops.convert_to_tensor(target)))
    assert_allclose(numbers(forced), logits, **close)
    layers = model.get_config().get("num_layers", int(model.has_attention))
    heads = model.get_config().get("num_heads", 1)
    assert [tuple(layer.shape) for layer in attention] == layers * [(3, heads, 5, 6)]
    if model.has_attention:
        assert_allclose(numbers(attention[-1]).mean(1), stepwise[1], **close)


@pytest.mark.parametrize("name", ["luong-monotonic", "bahdanau-monotonic", "mocha"])
def test_what_is_trained_soft_decodes_hard(name, source, target):
    soft, rng = build(name), np.random.default_rng(0)
    soft.set_weights([rng.normal(0, 0.3, weight.shape) for weight in soft.get_weights()])
    model = type(soft).from_config({**soft.get_config(), "monotonic": "hard"})
    model.set_weights(soft.get_weights())
    encoded = model.encode(source)
    logits, attention = decode(model.step, encoded, model.start(encoded), target)
    assert_allclose(logits, numbers(model((source, target))), **close)
    totals = attention.sum(-1)
    assert_allclose(totals, np.round(totals), atol=1e-5)  # a key, or a chunk of them, or none
    assert (np.diff(totals) < 0.5).all()  # past the end is past the end
    last = np.where(attention > 0, np.arange(6), 0).max(-1)
    assert (np.diff(last)[totals[:, 1:] > 0.5] >= 0).all()


def test_padding_changes_nothing(model, source, target, logits):
    longer = np.pad(source, ((0, 0), (0, 2))), np.pad(target, ((0, 0), (0, 3)))
    assert_allclose(numbers(model(longer))[:, :5], logits, **close)


def test_batched_equals_alone(model, source, target, logits):
    for i, length in enumerate(LENGTHS[:, 0]):
        alone = model((source[i : i + 1, :length], target[i : i + 1]))
        assert_allclose(numbers(alone)[0], logits[i], **close)


def test_a_source_of_padding_alone_gives_numbers(model, source, target):
    assert np.isfinite(numbers(model((source * 0, target)))).all()


def test_hypotheses_share_what_is_encoded_of_their_source(model, source, target):
    hypotheses = np.concatenate([target, target[:, ::-1]])[[0, 3, 1, 4, 2, 5]]
    encoded = model.encode(source)
    state = {name: ops.repeat(x, 2, axis=0) for name, x in model.start(encoded).items()}
    shared, attention = decode(model.step, encoded, state, hypotheses)
    assert_allclose(shared, numbers(model((source.repeat(2, axis=0), hypotheses))), **close)
    assert len(attention) == 6


def test_later_target_tokens_change_nothing(model, source, target, logits):
    changed = np.concatenate([target[:, :2], 13 - target[:, 2:]], axis=1)
    assert_allclose(numbers(model((source, changed)))[:, :2], logits[:, :2], **close)


@pytest.mark.parametrize(
    "model",
    [
        pytest.param((name, {}), id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name in TRANSLATORS
    ]
    + [pytest.param((name, TIED), id=f"{name}-tied") for name in OFTEN_TIED],
    indirect=True,
)
def test_keras_file_gives_the_same_model(model, source, target, logits, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    assert loaded.get_config() == model.get_config()
    assert_allclose(numbers(loaded((source, target))), logits, rtol=1e-6, atol=1e-6)
    encoded = loaded.encode(source)
    assert_allclose(decode(loaded.step, encoded, loaded.start(encoded), target)[0], logits, **close)


def test_training_moves_every_weight(model, source, target):
    before = model.get_weights()
    model = type(model).from_config({**model.get_config(), "dropout": 0.0})
    model.set_weights(before)
    model.compile(
        keras.optimizers.SGD(1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=True,
    )
    model.train_on_batch((source, target), target)
    for weight, old, new in zip(model.weights, before, model.get_weights(), strict=True):
        assert np.abs(new - old).max() > 1e-6, weight.path


@pytest.mark.parametrize(("rate", "expected"), [(None, 0.3), (0.0, 0.0), (0.6, 0.6)])
def test_embeddings_of_recurrent_models_have_a_rate_of_dropout(rate, expected):
    model = build("bahdanau-gru", dropout=0.3, embedding_dropout=rate)
    assert (model.dropout.rate, model.embedding_dropout.rate) == (0.3, expected)


@pytest.mark.parametrize("side", ["source_embedding", "target_embedding"])
def test_both_sides_embeddings_are_dropped_in_training(side, source, target):
    model = build("luong-general", embedding_dropout=0.5)
    embedding = getattr(model, side)  # alone, since of zeros nothing is dropped
    for other in (model.source_embedding, model.target_embedding):
        if other is not embedding:
            other.set_weights([np.zeros(other.embeddings.shape)])
    training = numbers(model((source, target), training=True))
    assert np.abs(training - numbers(model((source, target)))).max() > 1e-6


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.function")
def test_one_trace_serves_all_shapes(model, source, target, logits):
    tf = pytest.importorskip("tensorflow")
    ids, traces = tf.TensorSpec((None, None), tf.int32), []

    @tf.function(input_signature=[ids, ids])
    def call(source, target):
        traces.append(source.shape)
        return model((source, target))

    assert_allclose(numbers(call(source, target)), logits, **close)
    smaller = source[:2, :3], target[:2, :4]
    assert_allclose(numbers(call(*smaller)), numbers(model(smaller)), **close)
    assert len(traces) == 1


@pytest.mark.parametrize(
    ("name", "overrides", "message"),
    [
        ("luong-genral", {}, "No preset 'luong-genral'; the presets are: .*luong-general"),
        ("luong-dot", {"unit": 8}, "'luong-dot' takes no unit; it takes: .*units"),
        ("transformer-lite", {"units": 8}, "takes no units; it takes: .*dim"),
        ("luong-gru", {"cell": "gur"}, "`cell` must be one of .*'lstm'.*got 'gur'"),
        ("luong-gru", {"attention": "loung"}, "`attention` must be one of .*got 'loung'"),
        ("luong-local-p", {"window": 0}, "RecurrentTranslator: `window` must be 1 or more, got 0"),
        ("luong-gru", {"units": 0}, "RecurrentTranslator: `units` must be 1 or more, got 0"),
        ("luong-gru", {"units": -1}, "`units` must be from 0 to 16777216, got -1"),
        ("luong-gru", {"units": 8.0}, "`units` must be a whole number, got 8.0"),
        ("transformer-lite", {"num_layers": 0}, "`num_layers` must be 1 or more, got 0"),
        (
            "luong-monotonic",
            {"monotonic": "firm"},
            "`monotonic` must be one of .*'hard'.*got 'firm'",
        ),
        ("gnmt", {"decoder_layers": 1}, "attend='between' needs two `cells` or more, got 1"),
        ("gnmt", {"attend": "among"}, "`attend` must be one of .*'between'.*got 'among'"),
        ("luong-gru", {"score": "dott"}, "`score` must be one of .*'concat'.*got 'dott'"),
        (
            "luong-general",
            {"score": "dot", "bidirectional": True},
            "dot score needs queries and keys of one width.*16.*32",
        ),
        ("luong-gru", {"share_embeddings": True}, "needs one vocabulary, got sizes 12 and 13"),
        ("transformer-lite", {"share_embeddings": True}, "one vocabulary, got sizes 12 and 13"),
        ("transformer-lite", {"num_heads": 3}, "`num_heads` 3 must divide width 16"),
    ],
)
def test_what_cannot_be_built_says_so(name, overrides, message):
    sizes = SMALL[PRESETS[name].model] if name in PRESETS else {}
    with pytest.raises(ValueError, match=message):
        zoo.models.build(name, **{**SIZES, **sizes, **overrides})


def test_a_preset_is_what_it_states(model, request):
    name, overrides = request.node.callspec.params["model"]
    preset = PRESETS[name]
    stated = {**preset.settings, **SMALL[preset.model], **overrides}
    assert stated.items() <= model.get_config().items()
    assert preset.paper
