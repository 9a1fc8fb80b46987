"""The check of an export finds what TensorFlow Serving would stumble over."""

import shutil

import keras
import pytest
import tensorflow as tf

import zoo
from serving.check import RELEASES, check_version, first_difference, read_sentences, stock_ops
from serving.export import export

TEXT = tf.TensorSpec([None], tf.string, name="text")


def save(folder, call, weights=(), **attributes):
    """A SavedModel of one signature, with weights and whatever else; its signatures."""
    module = tf.Module()
    module.variables_ = list(weights)
    for name, value in attributes.items():
        setattr(module, name, value)
    function = tf.function(call, input_signature=[TEXT])
    signatures = {"serving_default": function.get_concrete_function()}
    tf.saved_model.save(module, str(folder), signatures=signatures)
    return {"serving_default": function}


def length(text):
    return {"length": tf.cast(tf.strings.length(text), tf.float32)}


def test_what_stands_alone_passes_and_tells_what_was_checked(tmp_path):
    weight = tf.Variable(tf.ones([40, 40]))
    signatures = save(tmp_path, lambda text: {"x": length(text)["length"] * weight[0, 0]}, [weight])
    ops, weights, answers = check_version(tmp_path, signatures, [weight], ["a", "둘"])
    assert all(release in ops for release in RELEASES)
    assert "1, 0.01 MB" in weights
    assert "2 texts in each of 1 signatures" in answers


def test_an_op_that_is_not_stock(tmp_path):
    def call(text):
        one = keras.ops.slice_update(length(text)["length"], [0], [1.0])  # only XLA has it
        return {"x": one}

    signatures = save(tmp_path, call)
    with pytest.raises(ValueError, match="no CPU kernel for XlaDynamicUpdateSlice"):
        check_version(tmp_path, signatures, [], ["a"])


def test_a_python_function(tmp_path):
    def call(text):
        return {"x": tf.ensure_shape(tf.py_function(lambda x: x, [text], tf.string), [None])}

    with pytest.raises(ValueError, match="EagerPyFunc"):
        check_version(tmp_path, save(tmp_path, call), [], ["a"])


def test_a_variable_that_is_no_weight(tmp_path):
    weight = tf.Variable(tf.ones([40, 40]))
    signatures = save(tmp_path, length, [weight], momentum=tf.Variable(tf.zeros([40, 40])))
    with pytest.raises(ValueError, match="2 variables are stored"):
        check_version(tmp_path, signatures, [weight], ["a"])


def test_a_weight_that_is_a_constant_too(tmp_path):
    weight = tf.Variable(tf.random.normal([40, 40]))
    held = weight.numpy()
    signatures = save(tmp_path, lambda text: {"x": length(text)["length"] * held[0, 0]}, [weight])
    check_version(tmp_path, signatures, [weight], ["a"])
    shutil.rmtree(tmp_path)

    def call(text):
        return {"x": length(text)["length"][:, None] * tf.reduce_sum(tf.constant(held), axis=0)}

    with pytest.raises(ValueError, match="stored a second time, as the constant"):
        check_version(tmp_path, save(tmp_path, call, [weight]), [weight], ["a"])


def test_another_answer(tmp_path):
    save(tmp_path, length)
    signatures = {"serving_default": tf.function(longer, input_signature=[TEXT])}
    with pytest.raises(ValueError, match=r"`length` of the signature serving_default.* 'bb'"):
        check_version(tmp_path, signatures, [], ["a", "bb"])


def longer(text):
    """`length`, but for texts of two letters."""
    got = length(text)["length"]
    return {"length": tf.where(got == 2, got + 0.01, got)}


def test_a_variable_that_the_session_does_not_find(tmp_path):
    """As when a Keras model is saved as it is."""
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense(1)
    dense.build((None, 1))
    module = tf.Module()
    module.dense = dense

    def call(text):
        return {"x": dense(length(text)["length"][:, None])}

    function = tf.function(call, input_signature=[TEXT])
    signatures = {"serving_default": function.get_concrete_function()}
    tf.saved_model.save(module, str(tmp_path), signatures=signatures)
    weights = [variable.value for variable in dense.variables]
    with pytest.raises(ValueError, match="without Keras, this project and XLA: Fail"):
        check_version(tmp_path, {"serving_default": function}, weights, ["a"])


def test_differences_are_found_beyond_rounding_only():
    numbers = tf.constant([[1.0, 2.0], [3.0, float("nan")]]).numpy()
    assert first_difference(numbers * (1 + 1e-6), numbers) is None
    assert first_difference(numbers + tf.constant([[0.0], [0.01]]), numbers) == 1
    assert first_difference(numbers[:, :1], numbers) == 0
    texts = tf.constant(["a", "b"]).numpy()
    assert first_difference([b"a", b"b"], texts) is None
    assert first_difference([b"a", b"c"], texts) == 1


@pytest.mark.parametrize("release", RELEASES)
def test_the_ops_of_a_release(release):
    ops = stock_ops(release)
    assert ops >= {"While", "LookupTableFindV2", "SentencepieceOp", "SentencepieceTokenizeOp"}
    assert not [op for op in ops if "Xla" in op or "Cudnn" in op or "PyFunc" in op]


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\n", b"a\tb\nc\n"])
def test_a_file_without_sentences(content, tmp_path):
    path = tmp_path / "sentences.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"sentences\.txt"):
        read_sentences(path)


def test_a_file_of_sentences_may_have_their_translations(tmp_path):
    path = tmp_path / "sentences.txt"
    path.write_text("a\n\nb\n", encoding="utf-8")
    assert read_sentences(path) == (["a", "b"], None)
    path.write_text("a\tx\nb\t\n", encoding="utf-8")
    assert read_sentences(path) == (["a", "b"], ["x", ""])


@pytest.mark.slow
def test_sentencepiece_runs_in_all_releases(tmp_path, capsys):
    pytest.importorskip("tensorflow_text")
    texts = ["Le chat noir est assis.", "Der Hund läuft.", "고양이가 앉아 있다."] * 5
    source, target = (zoo.text.SentencePieceTokenizer.train(texts, size=330) for _ in range(2))
    sizes = {"source_vocabulary_size": 330, "target_vocabulary_size": 330}
    model = zoo.build("seq2seq-gru", **sizes, units=8, embedding_dim=8)
    decoding = zoo.Decoding(2, max_target_length=5)
    zoo.Translator(model, source, target, decoding).save(tmp_path)
    (tmp_path / "sentences.txt").write_text("\n".join(texts), encoding="utf-8")
    export(tmp_path, check=True, sentences=tmp_path / "sentences.txt")
    ops, _, answers = capsys.readouterr().out.splitlines()
    assert ops.endswith("are in the stock binary of TensorFlow Serving 2.20 and 2.19")
    assert "15 texts" in answers
