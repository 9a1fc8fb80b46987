"""An export stands alone, and says what the model in process says."""

import dataclasses
import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

import zoo
from serving.client import GrpcClient, RestClient
from serving.export import export, without_cudnn
from serving.server import LocalServer
from serving.session import ask

TEXTS = ["2013년 2월 9일 토요일", "Tuesday, 14 June 1904", "", "ᚠᚢᚦ", "12 June 4," * 1000]

# For each signature, its inputs in order.
REQUESTS = {
    "serving_default": {"text": TEXTS},
    "translate_n_best": {"text": TEXTS},
    "translate_with_alignment": {"text": TEXTS},
    "translate_with_settings": {
        "text": TEXTS,
        "prefix": ["", "19", "", "2", ""],
        "length_penalty": [0.0, 0.6, 0.6, 1.0, 2.0],
        "min_length": [0, 0, 3, 0, 12],
        "max_length": [0, 6, 0, 5, 0],
    },
    "sample": {
        "text": TEXTS,
        "seed": [1, 2, 3, 4, 5],
        "temperature": [1.0, 0.0, 0.5, 1.5, 1.0],
        "top_k": [0, 0, 3, 0, 5],
        "top_p": [1.0, 1.0, 1.0, 0.5, 0.9],
    },
    "score": {"text": TEXTS, "target": ["2013-02-09", "", "1904", "x", "1" * 200]},
    "encode": {"text": TEXTS},
}


@pytest.fixture(scope="module")
def folder(tiny_model, tmp_path_factory):
    """A model with an export that was checked: its ops, its weights, its answers."""
    folder = tmp_path_factory.mktemp("saved_models") / "dates"
    shutil.copytree(tiny_model, folder)
    export(folder, check=True, beam_size=3, length_penalty=0.6)
    return folder


@pytest.fixture(scope="module")
def in_process(folder):
    return zoo.Translator.load(folder, beam_size=3, length_penalty=0.6)


def same(got, expected):
    for name, tensor in expected.items():
        tensor = tensor.numpy()
        if tensor.dtype == object:
            assert np.asarray(got[name]).tolist() == tensor.tolist(), name
        else:
            np.testing.assert_allclose(got[name], tensor, atol=1e-5, err_msg=name)


def test_a_fresh_process_without_keras_or_xla_says_the_same(folder, in_process):
    assert set(REQUESTS) == set(in_process.signatures)
    answers = ask(folder / "1", list(REQUESTS.items()))
    for (name, given), answer in zip(REQUESTS.items(), answers, strict=True):
        columns = [tf.constant(column) for column in given.values()]
        same(answer, in_process.signatures[name](*columns))


@pytest.mark.parametrize("preset", ["luong-general", "bahdanau-gru"])
def test_recurrent_layers_do_without_cudnn(preset):
    """Where a GPU is visible they would trace to its ops."""
    model = zoo.build(preset, source_vocabulary_size=5, target_vocabulary_size=5, units=4)
    without_cudnn(model)
    (encoder,) = model.encoder
    ways = [encoder.forward_layer, encoder.backward_layer] if preset[0] == "b" else [encoder]
    assert [layer.use_cudnn for layer in ways] == [False] * len(ways)


def test_signatures_take_and_give_what_servers_can_batch(folder):
    signatures = tf.saved_model.load(folder / "1").signatures
    assert set(signatures) == set(REQUESTS)
    for name, signature in signatures.items():
        inputs = signature.structured_input_signature[1]
        assert set(inputs) == set(REQUESTS[name])
        assert inputs["text"].dtype == tf.string
        assert all(spec.shape.as_list() == [None] for spec in inputs.values())
        for tensor in signature.structured_outputs.values():
            assert tensor.dtype in (tf.string, tf.float32, tf.int32)
            assert tensor.shape.rank >= 1
            assert tensor.shape[0] is None


def test_no_loader_infers_the_shapes_that_the_signatures_state(folder):
    """It would go through all the functions, and take twice the time of everything else."""
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(folder / "1"))
        for name in REQUESTS:
            for output in loaded.signature_def[name].outputs.values():
                tensor = session.graph.get_tensor_by_name(output.name)
                assert tensor.op.get_attr("_disable_call_shape_inference")
                assert tensor.shape == tf.TensorShape(output.tensor_shape)
    assert not (folder / "1" / "fingerprint.pb").exists()


def test_warm_up_requests_cover_batches_and_lengths_of_each_signature(folder):
    path = folder / "1" / "assets.extra" / "tf_serving_warmup_requests"
    sent = {}
    for record in tf.data.TFRecordDataset(str(path)):
        request = PredictionLog.FromString(record.numpy()).predict_log.request
        texts = request.inputs["text"].string_val
        assert {len(tf.make_ndarray(column)) for column in request.inputs.values()} == {len(texts)}
        sent.setdefault(request.model_spec.signature_name, []).append((len(texts), len(texts[0])))
    assert set(sent) == set(REQUESTS)
    for shapes in sent.values():
        batches, lengths = zip(*shapes, strict=True)
        assert set(batches) == {1, 8, 32}
        assert max(lengths) > 3 * min(lengths)
    assert sum(map(len, sent.values())) < 1000


def test_the_server_warms_it_up_and_says_the_same(folder, in_process):
    expected = in_process.translate_with_alignment(TEXTS)
    with LocalServer(folder.parent, rest_port=0, grpc_port=0) as server:
        for client in (RestClient(port=server.rest_port), GrpcClient(port=server.grpc_port)):
            got = client.translate("dates", TEXTS, signature="translate_with_alignment")
            assert [text.encode() for text in got["text"]] == expected["text"].numpy().tolist()
            for name in ("score", "alignment", "source_length", "target_length"):
                np.testing.assert_allclose(got[name], expected[name], atol=1e-5)


@pytest.mark.slow
def test_an_ensemble_is_exported_as_one_model(tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "dates")
    version = export(folder, ensemble=[tiny_model], beam_size=1)
    assert f"ensemble {tiny_model.name}" in (folder / "README.md").read_text()
    translator = zoo.Translator.load(tiny_model, ensemble=[tiny_model], beam_size=1)
    (answer,) = ask(version, [("translate_with_alignment", {"text": TEXTS})])
    same(answer, translator.translate_with_alignment(TEXTS))


def test_versions_count_up_and_are_never_overwritten(tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model, tmp_path / "dates")
    assert export(folder).name == "1"
    before = (folder / "1" / "saved_model.pb").read_bytes()
    assert export(folder, version=7).name == "7"
    assert export(folder).name == "8"
    with pytest.raises(FileExistsError, match="never overwritten"):
        export(folder, version=1)
    assert (folder / "1" / "saved_model.pb").read_bytes() == before
    for version in (0, 2**63):
        with pytest.raises(ValueError, match="positive"):
            export(folder, version=version)


def test_no_trained_weights_no_export(tmp_path):
    with pytest.raises(FileNotFoundError, match="attention-zoo train"):
        export(tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("other", ["ctranslate2", "tflite"])
def test_another_librarys_folder_that_exists_is_refused_before_anything_is_done(other, tmp_path):
    with pytest.raises(FileExistsError, match="name a folder that does not, or remove it"):
        export(tmp_path / "no model", **{other: tmp_path})


@pytest.mark.parametrize("step", ["write_warmup_requests", "check_version"])
def test_a_failed_export_leaves_nothing(step, tiny_model, tmp_path, monkeypatch):
    folder = shutil.copytree(tiny_model, tmp_path / "dates")
    (folder / ".writing-999999999-1").mkdir()  # as if a killed export had left it
    before = sorted(path.name for path in folder.iterdir())

    def full_disk(*args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(f"serving.export.{step}", full_disk)
    with pytest.raises(OSError, match="No space left"):
        export(folder, check=True)
    assert sorted(path.name for path in folder.iterdir()) == before[1:]


# A Transformer, since `folder` has a recurrent model; the others take their time.
QUICK = ("transformer-lite",)


@pytest.mark.parametrize(
    "preset",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
        for name, preset in zoo.PRESETS.items()
        if preset.model != "classifier"
    ],
)
@pytest.mark.parametrize(
    ("quantize", "xla"),
    [
        (None, False),
        pytest.param("int8", False, marks=pytest.mark.slow),
        pytest.param(None, True, marks=pytest.mark.slow),
    ],
)
def test_every_kind_of_model_exports(preset, quantize, xla, in_process, tmp_path):
    recurrent = zoo.PRESETS[preset].model == "recurrent"
    model = zoo.build(
        preset,
        source_vocabulary_size=in_process.source.vocabulary_size,
        target_vocabulary_size=in_process.target.vocabulary_size,
        **({"units": 8} if recurrent else {"dim": 8, "num_heads": 2, "num_layers": 1}),
    )
    decoding = dataclasses.replace(in_process.decoding, max_target_length=6)
    translator = zoo.Translator(model, in_process.source, in_process.target, decoding)
    translator.save(tmp_path)
    export(tmp_path, quantize=quantize, xla=xla, check=True)
