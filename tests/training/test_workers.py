"""Workers: who they are, that together they are as one, and that none outlives another for long."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from training.datasets.load import Pairs
from training.prepare import Preparation
from training.recipe import Recipe
from training.workers import ALONE, Workers

MASTER = {"MASTER_ADDR": "first", "MASTER_PORT": "1234"}


@pytest.mark.parametrize(
    "environment, expected",
    [
        ({}, ALONE),
        ({**MASTER, "RANK": "1", "WORLD_SIZE": "4"}, Workers(1, 4, "first:1234")),
        ({"SLURM_PROCID": "2", "SLURM_NTASKS": "3", **MASTER}, Workers(2, 3, "first:1234")),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "1"}, ALONE),
        ({"JOB_COMPLETION_INDEX": "5"}, ALONE),  # of jobs that know nothing of each other
    ],
    ids=["nothing", "torchrun", "slurm", "one task", "kubernetes"],
)
def test_a_launcher_says_which_one_it_is(environment, expected):
    assert Workers.found(environment=environment) == expected


def test_the_environment_is_the_process_s(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "SLURM_PROCID", "SLURM_NTASKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JOB_COMPLETION_INDEX", "1")
    assert Workers.found(count=2, coordinator="a:1") == Workers(1, 2, "a:1")


def test_flags_come_first():
    environment = {"RANK": "1", "WORLD_SIZE": "4", **MASTER}
    assert Workers.found(0, 2, "other:9", environment) == Workers(0, 2, "other:9")
    assert not Workers.found(count=1, number=0, environment=environment).number
    indexed = {"JOB_COMPLETION_INDEX": "5"}
    assert Workers.found(count=6, coordinator="a:1", environment=indexed) == Workers(5, 6, "a:1")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((2, 2, "a:1"), "worker 2 is none of 2, which are numbered from 0"),
        ((-1, 2, "a:1"), "worker -1 is none of 2"),
        ((0, 2, ""), "2 workers meet at --coordinator HOST:PORT"),
        ((0, 2, "host"), "got 'host'"),
    ],
)
def test_what_can_not_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        Workers(*arguments)
    assert "\n" not in str(error.value)


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ValueError, match="RANK must be a whole number; got 'first'"):
        Workers.found(environment={"RANK": "first", "WORLD_SIZE": "2", **MASTER})


def test_several_want_jax():
    with pytest.raises(ValueError, match="several workers train on JAX only: give --backend jax"):
        Workers(0, 2, "localhost:1").join()


SETTINGS = {
    "preset": "transformer-lite",
    "overrides": {"dim": 16, "hidden_dim": 16, "num_layers": 1, "num_heads": 2, "dropout": 0.0},
    "tokenizer": "characters",
    "batch_size": 9,  # can't be halved
    "epochs": 3,
    "learning_rate": 0.01,
    "average_last": 2,
    "metric": "loss",
}
PAIRS = 90

# Prints the history, and the pairs that this worker read in the first epoch; or kills itself.
PROCESS = """
import json, os, signal, sys, time
from training.batch_plan import BatchPlan
from training.callbacks import Keeper
from training.prepared import Prepared
from training.recipe import Recipe
from training.train_prepared import train_prepared
from training.workers import Workers

settings, prepared, folder, worker, kill_after = json.loads(sys.argv[1])
epoch, hook, read = BatchPlan.epoch, Keeper.on_train_batch_end, []

def noted(self, number):
    batches = epoch(self, number)
    if number == 0:
        read.extend(int(row) for batch in batches for row in batch.rows if row >= 0)
    return batches

def counted(self, batch, logs=None):
    global kill_after
    hook(self, batch, logs)
    kill_after -= 1
    if kill_after == 0:
        print(time.time(), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

BatchPlan.epoch, Keeper.on_train_batch_end = noted, counted
history = train_prepared(
    Recipe(**settings), "own", Prepared.read(prepared), runs=folder + "/runs",
    saved_models=folder + "/models", checkpoint_every=3, workers=Workers(*worker),
)
print(json.dumps([history, read]))
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed")
    folder = tmp_path_factory.mktemp("workers") / "data"
    numbers = [str(n) for n in range(1000, 1000 + PAIRS)]
    pairs = Pairs("own", numbers, [str(2 * int(n)) for n in numbers])
    few = Pairs("own", numbers[:20], pairs.targets[:20])
    return Preparation(Recipe(**SETTINGS), {"train": pairs, "validation": few}, folder).finish()


def start(folder, prepared, worker=(0, 1, ""), devices=1, kill_after=0):
    arguments = json.dumps([SETTINGS, str(prepared.folder), str(folder), worker, kill_after])
    flags = f"--xla_force_host_platform_device_count={devices}"
    return subprocess.Popen(
        [sys.executable, "-c", PROCESS, arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "jax", "XLA_FLAGS": flags},
    )


def start_two(folder, prepared, kill_after=0):
    """Both; the second kills itself after so many steps."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    first = start(folder, prepared, (0, 2, place))
    return first, start(folder, prepared, (1, 2, place), kill_after=kill_after)


def outcome(process):
    """The losses of all epochs, and the pairs read."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    history, read = json.loads(out.splitlines()[-1])
    names = ("loss", "accuracy", "val_loss", "val_perplexity")
    return np.array([[epoch[name] for name in names] for epoch in history]), read


@pytest.fixture(scope="module")
def alone(prepared, tmp_path_factory):
    return outcome(start(tmp_path_factory.mktemp("alone"), prepared))[0]


@pytest.mark.slow
def test_two_workers_are_as_one(alone, prepared, tmp_path):
    first, second = map(outcome, start_two(tmp_path, prepared))
    np.testing.assert_allclose(first[0], alone, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(first[0], second[0])
    assert not set(first[1]) & set(second[1])
    assert sorted([*first[1], *second[1]]) == list(range(PAIRS))
    assert len(first[1]) == 50  # five of each batch's nine
    assert (tmp_path / "models" / "own" / "card.json").is_file()


@pytest.mark.slow
def test_several_devices_of_one_process_are_as_one(alone, prepared, tmp_path):
    losses, read = outcome(start(tmp_path, prepared, devices=2))
    np.testing.assert_allclose(losses, alone, rtol=1e-4, atol=1e-4)
    assert sorted(read) == list(range(PAIRS))


@pytest.mark.slow
def test_a_worker_that_is_killed_ends_the_other_and_both_go_on(alone, prepared, tmp_path):
    first, second = start_two(tmp_path, prepared, kill_after=14)
    out, _ = second.communicate(timeout=300)
    assert second.returncode == -signal.SIGKILL
    _, err = first.communicate(timeout=100)
    assert time.time() - float(out.splitlines()[-1]) < 60
    assert first.returncode == 2, err
    assert "another worker is gone" in err
    first, second = map(outcome, start_two(tmp_path, prepared))
    np.testing.assert_allclose(first[0], alone, rtol=1e-4, atol=1e-4)
