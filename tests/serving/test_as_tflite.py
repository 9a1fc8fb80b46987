"""A model that TensorFlow Lite runs says what it says here."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

import zoo
from attention_zoo.cli import main
from serving.as_tflite import NAME, converted, write_tflite
from serving.export import without_cudnn
from zoo.decoding import greedy
from zoo.models import Ensemble
from zoo.models.presets import PRESETS
from zoo.text import WordTokenizer
from zoo.text.vocabulary import SPECIAL_PIECES

PIECES = [*SPECIAL_PIECES, *(chr(ord("a") + i) for i in range(12))]
SIZES = {"source_vocabulary_size": len(PIECES), "target_vocabulary_size": len(PIECES)}
SMALL = {
    "recurrent": {**SIZES, "units": 6, "embedding_dim": 5},
    "transformer": {**SIZES, "dim": 8, "hidden_dim": 12, "num_heads": 4},
}
DECODING = zoo.Decoding(beam_size=1, max_source_length=8, max_target_length=7)
# A classifier writes no text, and so is no translator.
TRANSLATORS = [name for name, preset in PRESETS.items() if preset.model != "classifier"]
FAST = ("luong-general", "transformer-lite")

pytestmark = pytest.mark.filterwarnings(r"ignore:\s*Warning. tf.lite.Interpreter is deprecated")


def drawn(name, **settings):
    """A tiny model whose weights are all drawn, the biases and norms too."""
    model = zoo.build(name, **{**SMALL[PRESETS[name].model], **settings})
    rng = np.random.default_rng(0)
    for weight in model.trainable_variables:
        weight.assign(weight + 0.5 * rng.normal(size=weight.shape))
    return model


def translator(model):
    without_cudnn(model)
    return zoo.Translator(model, WordTokenizer(PIECES), WordTokenizer(PIECES), DECODING)


class Phone:
    """What drives the files, in NumPy and by what `model.json` says alone."""

    def __init__(self, folder):
        self.known = json.loads((folder / NAME).read_text(encoding="utf-8"))
        self.interpreters = {}
        for name in ("encode", "step"):
            path = folder / self.known[name]["file"]
            self.interpreters[name] = tf.lite.Interpreter(str(path))
            self.interpreters[name].allocate_tensors()

    def run(self, name, given):
        known, interpreter = self.known[name], self.interpreters[name]
        for place, tensor in zip(interpreter.get_input_details(), known["inputs"], strict=True):
            value = given[tensor["name"]]
            assert (list(value.shape), value.dtype.name) == (tensor["shape"], tensor["dtype"])
            interpreter.set_tensor(place["index"], value)
        interpreter.invoke()
        places = zip(interpreter.get_output_details(), known["outputs"], strict=True)
        return {tensor["name"]: interpreter.get_tensor(place["index"]) for place, tensor in places}

    def translate(self, source):
        """The most probable ids, one at a time, and what each was chosen from and looked at."""
        ids, length = self.known["ids"], self.known["max_source_length"]
        padded = np.full((1, length), ids["pad"], "int32")
        padded[0, : len(source)] = source
        given = self.run("encode", {"source": padded})
        said, answers = [], []
        while len(said) < self.known["max_target_length"] and ids["end"] not in said:
            token = np.array([said[-1] if said else ids["start"]], "int32")
            answer = self.run("step", {"tokens": token, **given})
            given |= {name: tensor for name, tensor in answer.items() if name in given}
            answers.append(answer)
            allowed = answer["logits"][0].copy()
            allowed[[ids["pad"], ids["start"]]] = -np.inf
            last = len(said) == self.known["max_target_length"] - 1
            said.append(ids["end"] if last else int(allowed.argmax()))
        return said, answers


def in_process(model, source):
    """The model's own ids for one source, padded to nothing."""
    encoded = model.encode(tf.constant([source]))

    def step(tokens, given):
        return model.step((tokens, given))

    found = greedy(step, encoded, model.start(encoded), DECODING.max_target_length)
    return found.tokens[0, 0].numpy().tolist(), found.alignment[0, 0].numpy()


@pytest.mark.parametrize(
    "name",
    [
        name if name in FAST else pytest.param(name, marks=pytest.mark.slow)
        for name in TRANSLATORS
    ],
)  # fmt: skip
def test_a_loop_in_numpy_says_what_the_model_says(name, tmp_path):
    model, rng = drawn(name), np.random.default_rng(1)
    write_tflite(translator(model), tmp_path / "phone")
    phone = Phone(tmp_path / "phone")
    for length in (1, 4, 8):
        source = [*rng.integers(4, len(PIECES), length - 1).tolist(), 3]
        said, answers = phone.translate(source)
        expected, alignment = in_process(model, source)
        assert said == expected
        forced = model((tf.constant([source]), tf.constant([[2, *said[:-1]]])))[0]
        got = np.concatenate([answer["logits"] for answer in answers])
        np.testing.assert_allclose(got, forced, atol=1e-4)
        if model.has_attention:
            looked = np.concatenate([answer["attention"] for answer in answers])
            np.testing.assert_allclose(looked[:, :length], alignment, atol=1e-4)
            assert not looked[:, length:].any()
        else:
            assert "attention" not in answers[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"norm_first": False, "activation": "gelu"},
        {"qk_norm": True, "gated_attention": True, "window": 3},
        {"positions": "learned", "tie_embeddings": True, "share_embeddings": True},
    ],
)
def test_settings_that_no_preset_has(settings, tmp_path):
    model = drawn("transformer-lite", **settings)
    write_tflite(translator(model), tmp_path / "phone")
    source = [5, 9, 4, 12, 3]
    assert Phone(tmp_path / "phone").translate(source)[0] == in_process(model, source)[0]


@pytest.mark.parametrize(("kind", "share", "most"), [("int8", 0.5, 0.1), ("float16", 0.7, 0.01)])
def test_fewer_bits_are_less_to_store_and_nearly_as_exact(kind, share, most, tmp_path):
    model, sizes, logits = drawn("luong-general", units=64), [], []
    for quantize in (None, kind):
        folder = tmp_path / str(quantize)
        write_tflite(translator(model), folder, quantize)
        sizes.append(sum(path.stat().st_size for path in folder.glob("*.tflite")))
        logits.append(Phone(folder).translate([5, 9, 4, 3])[1][0]["logits"])
    assert sizes[1] < share * sizes[0]
    assert 0 < np.abs(logits[1] - logits[0]).max() < most * np.abs(logits[0]).max()


@pytest.mark.slow
def test_the_command_writes_it_beside_a_version(tiny_model, tmp_path):
    """It holds tokenizers that load, and answers as the folder's model does."""
    folder, phone = tmp_path / "dates", tmp_path / "phone"
    shutil.copytree(tiny_model, folder)
    arguments = ["export", "dates", "--saved-models", str(tmp_path), "--tflite", str(phone)]
    assert main([*arguments, "--max-source-length", "24"]) == 0
    assert (folder / "1" / "saved_model.pb").is_file()
    known = json.loads((phone / NAME).read_text(encoding="utf-8"))
    assert known["max_source_length"] == 24
    for side, files in known["tokenizers"].items():
        for file in files:
            assert (phone / file).read_bytes() == (folder / file).read_bytes(), side
    loaded = zoo.Translator.load(folder, beam_size=1, max_source_length=24)
    source, target = loaded.ids(tf.constant(["14 June 1904"]))
    assert Phone(phone).translate(source[0].numpy().tolist())[0] == target[0, 1:].numpy().tolist()


def test_a_folder_that_exists_is_left_alone(tmp_path):
    (tmp_path / "phone").mkdir()
    with pytest.raises(FileExistsError, match="name a folder that does not"):
        write_tflite(translator(drawn("seq2seq-rnn")), tmp_path / "phone")
    assert not list((tmp_path / "phone").iterdir())


def test_an_ensemble_is_refused(tmp_path):
    both = Ensemble([drawn("seq2seq-rnn"), drawn("seq2seq-gru")])
    with pytest.raises(ValueError, match="export each alone"):
        write_tflite(translator(both), tmp_path / "phone")
    assert not list(tmp_path.iterdir())


def test_an_op_that_is_none_of_its_own_is_refused_in_one_line():
    @tf.function(input_signature=[tf.TensorSpec([3, 3], tf.float32, "x")])
    def unknown(x):
        return {"y": tf.linalg.cholesky(x)}

    with pytest.raises(ValueError, match="TensorFlow Lite can't run this model") as error:
        converted(unknown.get_concrete_function(), [])
    assert "\n" not in str(error.value)
