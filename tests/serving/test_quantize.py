"""Weights in fewer bits: as small and as near as they should be, in an export that stands alone."""

import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from serving.export import export
from serving.quantize import change_in_quality, stored_as


def read(kind, layer):
    """The layer's matrix, as it is read from what is stored; and that."""
    read_all, stored = stored_as(kind, layer.variables)
    matrix, *_ = read_all()
    return matrix.numpy(), stored


def dense(columns):
    layer = keras.layers.Dense(len(columns), use_bias=True)
    layer.build((None, len(columns[0])))
    layer.kernel.assign(np.transpose(columns))
    return layer


def test_int8_has_a_scale_for_each_output():
    """The steps are 1 and 0.01; by one scale for both, the second column would be 0."""
    layer = dense([[127.0, 63.4, -127.0], [1.27, -0.004, 0.634], [0.0, 0.0, 0.0]])
    got, weights = read("int8", layer)
    np.testing.assert_allclose(got.T, [[127, 63, -127], [1.27, 0, 0.63], [0, 0, 0]], atol=1e-6)
    assert [weight.dtype for weight in weights] == [tf.int8, tf.float32, tf.float32]


def test_an_embedding_has_a_scale_for_each_row():
    layer = keras.layers.Embedding(2, 2)
    layer.build()
    layer.embeddings.assign([[127.0, 1.0], [1.27, 0.01]])
    got, _ = read("int8", layer)
    np.testing.assert_allclose(got, [[127.0, 1.0], [1.27, 0.01]], rtol=1e-6)


def test_float16_rounds_and_refuses_what_it_does_not_hold():
    layer = dense([[1 / 3, 2.0]])
    got, _ = read("float16", layer)
    np.testing.assert_array_equal(got[:, 0], np.float16([1 / 3, 2.0]))
    layer.kernel.assign([[1e5], [0.0]])
    with pytest.raises(ValueError, match="use int8"):
        stored_as("float16", layer.variables)


def test_the_model_itself_stays_exact():
    layer = dense([[1 / 3, 2.0]])
    before = layer.kernel.numpy()
    changed, _ = read("int8", layer)
    assert np.any(changed != before)
    np.testing.assert_array_equal(layer.kernel, before)


def test_another_kind():
    with pytest.raises(ValueError, match="int8, float16"):
        stored_as("int4", [])


def test_the_change_in_quality_is_that_of_the_translations():
    def translating(*words):
        table = tf.constant(words)
        return lambda text: {"text": tf.gather(table, tf.strings.to_number(text, tf.int32))}

    before, after = translating("a b c d", "e f g h"), translating("a b c d", "e f x h")
    told = change_in_quality(before, after, ["0", "1"], ["a b c d", "e f g h"], batch_size=1)
    assert "50.0 % of 2 texts" in told
    assert "BLEU 100.00 -> " in told
    assert told.endswith("exact match 100.00 -> 50.00 %")
    assert "BLEU" not in change_in_quality(before, after, ["0", "1"])


@pytest.mark.parametrize("kind", ["int8", pytest.param("float16", marks=pytest.mark.slow)])
def test_an_export_is_smaller_and_stands_alone(kind, tiny_model, tmp_path, capsys):
    folder = shutil.copytree(tiny_model, tmp_path / "dates")
    sentences = tmp_path / "sentences.tsv"
    sentences.write_text("14 June 1904\t1904-06-14\n9월\t2013-09-01\n", encoding="utf-8")
    place = export(folder, quantize=kind, check=True, sentences=sentences)
    lines = capsys.readouterr().out
    for part in (f"{kind}: weights of", "quality: ", "BLEU", "ops: all", "answers: "):
        assert part in lines
    plain = export(folder)
    stored, whole = (
        (path / "variables" / "variables.data-00000-of-00001").stat().st_size
        for path in (place, plain)
    )
    # Biases, scales and the checkpoint's own index are a good part of so small a model.
    assert stored < whole * {"int8": 0.5, "float16": 0.65}[kind]
    assert read_in_loops(place) == []
    assert json.loads((place / "assets.extra" / "export.json").read_text())["quantize"] == kind


def read_in_loops(version):
    """The nodes of loops that turn stored matrices into numbers: they would at each step."""
    saved = SavedModel.FromString((version / "saved_model.pb").read_bytes())
    functions = saved.meta_graphs[0].graph_def.library.function
    reads = {
        (each.signature.name, node.name)
        for each in functions
        for node in each.node_def
        if node.op == "Cast" and node.attr["SrcT"].type in (types_pb2.DT_INT8, types_pb2.DT_HALF)
    }
    assert reads
    return [read for read in reads if "while" in read[0]]
