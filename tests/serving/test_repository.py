"""Versions come, fail and go; what was served goes on until the next one is ready."""

import gc
import shutil
import threading
import weakref

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from serving import model_config
from serving.server import LocalServer, batching
from serving.server.repository import Repository
from serving.server.status import StatusError
from serving.server.versions import LoadedVersion
from serving.server_options import ServerOptions


@pytest.fixture
def repository(folder):
    repository = Repository(lambda: model_config.scan(folder))
    repository.poll()
    return repository


def states(repository, name="toy"):
    status = repository.status(ModelSpec(name=name)).model_version_status
    return {entry.version: ModelVersionStatus.State.Name(entry.state) for entry in status}


def answer(repository, text="a", **spec):
    inputs = {"text": np.array([text], object)}
    loaded = repository.find(ModelSpec(name="toy", **spec))
    return loaded.predict("serving_default", inputs)["text"].tolist()


def write_warmup(version_folder, *texts):
    logs = []
    for text in texts:
        log = PredictionLog()
        texts = text if isinstance(text, list) else [text]
        log.predict_log.request.inputs["text"].CopyFrom(tf.make_tensor_proto(texts))
        logs.append(log.SerializeToString())
    path = version_folder / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for log in logs:
            writer.write(log)


def test_only_models_with_versions_are_served(repository):
    assert repository.served() == ["toy/1"]


def test_latest_version_takes_over_and_a_request_keeps_its_own(folder, repository, add_version):
    in_flight = repository.find(ModelSpec(name="toy"))
    add_version(2, "two ")
    repository.poll()
    assert states(repository) == {2: "AVAILABLE", 1: "END"}
    assert answer(repository) == [b"two A"]
    inputs = {"text": np.array(["a"], object)}
    assert in_flight.predict("serving_default", inputs)["text"].tolist() == [b"A"]
    with pytest.raises(StatusError, match=r"Specific\(toy, 1\)"):
        answer(repository, version={"value": 1})


def test_removing_the_latest_version_rolls_back(folder, repository, add_version):
    add_version(2, "two ")
    repository.poll()
    shutil.rmtree(folder / "toy" / "2")
    repository.poll()
    assert states(repository) == {2: "END", 1: "AVAILABLE"}
    assert answer(repository) == [b"A"]


def test_removing_the_model_ends_it(folder, repository):
    shutil.copytree(folder / "toy", folder / "other")
    shutil.rmtree(folder / "toy")
    repository.poll()
    assert states(repository) == {1: "END"}
    assert repository.served() == ["other/1"]


def test_a_number_beyond_64_bits_is_no_version(folder, add_version):
    add_version(2**63 - 1)
    (folder / "toy" / str(2**63)).mkdir()
    repository = Repository(lambda: model_config.scan(folder))
    repository.poll()
    assert states(repository) == {2**63 - 1: "AVAILABLE"}


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("saved_model.pb", None),
        ("saved_model.pb", b"garbage"),
        ("variables/variables.index", b"garbage"),
        ("variables/variables.data-00000-of-00001", b""),
    ],
)
def test_broken_version_leaves_the_old_one(folder, repository, file, content, caplog, add_version):
    add_version(3)
    broken = folder / "toy" / "3" / file
    whole = broken.read_bytes()
    broken.unlink()
    if content is not None:
        broken.write_bytes(content)
    repository.poll()
    assert states(repository) == {3: "END", 1: "AVAILABLE"}
    newest = repository.status(ModelSpec(name="toy")).model_version_status[0]
    assert newest.status.error_code != 0
    assert answer(repository) == [b"A"]
    (record,) = caplog.records
    assert record.getMessage() == f"toy/3 is not served: {newest.status.error_message}"
    assert "\n" not in newest.status.error_message
    assert not record.exc_info

    caplog.clear()
    repository.poll()
    assert not caplog.text  # no second try before the folder changes
    broken.write_bytes(whole)
    repository.poll()
    assert states(repository) == {3: "AVAILABLE", 1: "END"}


def test_warmup_requests_are_replayed(folder, repository, add_version):
    add_version(2)
    write_warmup(folder / "toy" / "2", "a", "b")
    repository.poll()
    assert states(repository)[2] == "AVAILABLE"


def test_warmup_is_not_held_to_the_bound_on_clients(folder):
    write_warmup(folder / "toy" / "1", ["a"] * 32)
    repository = Repository(lambda: model_config.scan(folder), max_rows=8)
    repository.poll()
    assert answer(repository) == [b"A"]
    with pytest.raises(StatusError, match="input text has 9 rows; expected 8 at most"):
        repository.find(ModelSpec(name="toy")).predict(
            "serving_default", {"text": np.array(["a"] * 9, object)}
        )


def test_version_whose_warmup_fails_is_not_served(folder, repository, add_version):
    add_version(2)
    write_warmup(folder / "toy" / "2", "a", 1.0)
    repository.poll()
    assert states(repository) == {2: "END", 1: "AVAILABLE"}
    newest = repository.status(ModelSpec(name="toy")).model_version_status[0]
    assert newest.status.error_message == "input text has type float32, expected string"


def test_labels_and_policies_of_a_models_config(folder, tmp_path, add_version):
    for version in (2, 3, 4):
        add_version(version, f"{version} ")
    path = tmp_path / "models.config"

    def write(policy):
        path.write_text(
            f'model_config_list {{ config {{ name: "toy" base_path: "{folder}/toy" {policy} }} }}'
        )

    write("model_version_policy { all {} }")
    repository = Repository(lambda: model_config.read(path))
    repository.poll()
    assert repository.served() == ["toy/1", "toy/2", "toy/3", "toy/4"]
    write("model_version_policy { latest { num_versions: 2 } }")
    repository.poll()
    assert repository.served() == ["toy/3", "toy/4"]
    write(
        "model_version_policy { specific { versions: 1 versions: 2 } }"
        'version_labels { key: "stable" value: 1 } version_labels { key: "canary" value: 2 }'
        'version_labels { key: "gone" value: 4 }'
    )
    repository.poll()
    assert answer(repository, version_label="stable") == [b"A"]
    assert answer(repository, version_label="canary") == [b"2 A"]
    with pytest.raises(StatusError, match=r"Specific\(toy, 4\)"):
        answer(repository, version_label="gone")


@pytest.mark.parametrize("policy", ["specific { versions: 1 versions: 2 versions: 3 }", "all {}"])
@pytest.mark.parametrize("old_goes", [False, True])
def test_a_label_waits_for_a_version_that_failed(folder, tmp_path, add_version, policy, old_goes):
    add_version(2, "two ")
    add_version(3, "three ")
    broken = folder / "toy" / "3" / "saved_model.pb"
    whole = broken.read_bytes()
    broken.write_bytes(b"garbage")
    path = tmp_path / "models.config"

    def point(stable, policy):
        path.write_text(
            f'model_config_list {{ config {{ name: "toy" base_path: "{folder}/toy"'
            f" model_version_policy {{ {policy} }}"
            f' version_labels {{ key: "stable" value: {stable} }} }} }}'
        )

    point(1, policy)
    repository = Repository(lambda: model_config.read(path))
    repository.poll()
    point(3, "specific { versions: 2 versions: 3 }" if old_goes else policy)
    for _ in range(2):
        repository.poll()
        assert answer(repository, version_label="stable") == [b"A"]
    broken.write_bytes(whole)
    repository.poll()
    assert answer(repository, version_label="stable") == [b"three A"]
    assert (states(repository)[1] == "END") is old_goes


def test_a_list_that_cannot_be_read_is_told_once(folder, repository, caplog):
    shutil.rmtree(folder / "toy" / "1")
    polls = threading.Semaphore(0)

    def scan():
        polls.release()
        return model_config.scan(folder)

    repository._list_models = scan
    with repository.watched(0.001):
        for _ in range(5):
            assert polls.acquire(timeout=30)
    (record,) = caplog.records
    assert record.getMessage().startswith("No servable model in")
    assert answer(repository) == [b"A"]


def test_the_end_does_not_wait_for_ever_for_a_poll(folder, repository):
    begun, goes_on = threading.Event(), threading.Event()

    def scan():
        begun.set()
        goes_on.wait(60)
        return model_config.scan(folder)

    repository._list_models = scan
    with repository.watched(0.001, grace_seconds=0.1):
        assert begun.wait(30)
    assert repository.is_watched
    goes_on.set()
    with repository.watched(1000):
        pass
    assert not repository.is_watched


def test_no_version_is_begun_after_the_end(repository, add_version):
    add_version(2)
    stop = threading.Event()
    stop.set()
    repository.poll(stop)
    assert repository.served() == ["toy/1"]
    repository.poll()
    assert repository.served() == ["toy/2"]


@pytest.mark.parametrize("goes", ["1/link", "1/variables/variables.index"])
def test_a_link_to_nothing_is_in_no_other_versions_way(folder, add_version, goes):
    shutil.copytree(folder / "toy", folder / "other")
    link = folder / "toy" / goes
    link.unlink(missing_ok=True)
    link.symlink_to(folder / "toy" / "late")
    repository = Repository(lambda: model_config.scan(folder))
    repository.poll()
    assert "other/1" in repository.served()
    shutil.copy(folder / "other" / "1" / "variables" / "variables.index", folder / "toy" / "late")
    repository.poll()
    assert repository.served() == ["other/1", "toy/1"]


def test_a_graph_of_tensorflow_1_is_served_without_batches(tmp_path):
    """Its signatures are no functions, and only functions form batches."""
    v1 = tf.compat.v1
    with v1.Session(graph=tf.Graph()) as session:
        text = v1.placeholder(tf.string, [None], "text")
        prefix = v1.get_variable("prefix", initializer="in 1: ", use_resource=True)
        outputs = {"text": tf.strings.join([prefix, text]), "number": tf.strings.to_number(text)}
        session.run(prefix.initializer)
        v1.saved_model.simple_save(session, str(tmp_path / "1"), {"text": text}, outputs)
    loaded = LoadedVersion("old", 1, tmp_path / "1", batching.read())
    answer = loaded.predict("serving_default", {"text": np.array(["1", "2"], object)})
    assert answer["text"].tolist() == [b"in 1: 1", b"in 1: 2"]
    with pytest.raises(StatusError, match=r"^StringToNumberOp could not .* string: one"):
        loaded.predict("serving_default", {"text": np.array(["one"], object)})


def test_what_was_unloaded_is_gone_before_memory_is_given_back(
    folder, repository, add_version, monkeypatch
):
    seen, old = [], weakref.ref(repository.find(ModelSpec(name="toy")))

    def look():
        gc.collect()
        seen.append(old())

    monkeypatch.setattr("serving.server.repository.give_back_memory", look)
    add_version(2)
    repository.poll()
    assert seen == [None]


def test_a_session_config_of_ones_own(folder, tmp_path):
    path = tmp_path / "session.config"
    path.write_text("intra_op_parallelism_threads: many")
    options = ServerOptions(tensorflow_session_config_file=path)
    with pytest.raises(ValueError, match="Cannot read ConfigProto from") as error:
        LocalServer(folder, rest_port=0, grpc_port=0, options=options)
    assert str(path) in str(error.value)
    path.write_text("device_count { key: 'CPU' value: 1 }")
    with LocalServer(folder, rest_port=0, grpc_port=0, options=options) as server:
        assert server.repository.served() == ["toy/1"]
