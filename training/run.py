"""The run folder: what made a run, and the checkpoint from which it goes on."""

import fcntl
import importlib
import json
import platform
import re
from pathlib import Path

import keras
import numpy as np

from training import arrays
from training.checkpoints import Checkpoints
from zoo.replacing import replacing

# Fields of a recipe that play no part in training: a run may go on with others.
AFTERWARDS = ("beam_size", "length_penalty", "licence", "example", "stored")


class Run:
    """A folder that holds one run.

    `run.json` says what made it; `checkpoints` hold the whole state of the training: weights,
    optimizer, random seeds and position; `best.npz` the best weights so far.
    Whatever is written is written beside its place and renamed into it.

    Args:
        folder: where. It is made if it is not there.
        made_by: what makes this run: the recipe and the data, JSON-able.

    Raises:
        ValueError: if the folder was made by something else, naming what differs; or if another
            process is training in it.
    """

    def __init__(self, folder, made_by):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.checkpoints = Checkpoints(self.folder)
        self._lock = _lock(self.folder)
        try:
            self._claim(json.loads(json.dumps({**made_by, "versions": versions()})))
        except ValueError:
            self.close()
            raise

    @property
    def best_weights(self):
        return self.folder / "best.npz"

    def _claim(self, made_by):
        path = self.folder / "run.json"
        if not path.is_file():
            with replacing(path) as beside:
                text = json.dumps(made_by, indent=2, ensure_ascii=False)
                beside.write_text(text, encoding="utf-8")
            return
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
            before = {part: dict(before[part]) for part in made_by}
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{path} is damaged; remove {self.folder} to begin anew") from error
        differences = [
            f"{name} was {before[part].get(name)!r}, is {value!r}"
            for part, values in made_by.items()
            for name, value in values.items()
            if before[part].get(name) != value and name not in AFTERWARDS
        ]
        if differences:
            raise ValueError(
                f"{self.folder} holds another run ({'; '.join(differences)}); "
                "give another --run, or remove the folder"
            )

    def close(self):
        """Let other processes train here."""
        self._lock.close()

    def restore_checkpoint(self, variables):
        """Set the state of the training to that of the last checkpoint, if there is one.

        Returns:
            The `Position` to go on from.

        Raises:
            ValueError: for files that are damaged.
        """
        position = self.checkpoints.restore(variables)
        if position.epoch and not self.best_weights.is_file():
            raise arrays.damaged(self.best_weights)
        return position

    def save_best(self, model):
        """Keep the model's weights as the best."""
        with arrays.writing(self.best_weights) as beside, beside.open("wb") as file:
            arrays.write(file, model.weights)

    def restore_best(self, model):
        """Set the model's weights to the best."""
        values, _ = arrays.read(self.best_weights, model.weights)
        arrays.assign(model.weights, values)


class Follower(Run):
    """A run of which another process writes the files, and this one reads the checkpoints.

    Args:
        folder: where, the other's, too.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.checkpoints = _Unwritten(self.folder)

    def close(self):
        """Nothing is locked."""

    def save_best(self, model):
        """The other does."""


class _Unwritten(Checkpoints):
    def save(self, variables, position):
        """The other does."""


def check_run(name, checkpoint_every):
    """Refuse a name that is not one of two folders, of run and model, and too few steps.

    Raises:
        ValueError: a version, which is all digits, stands beside models' files.
    """
    if not re.fullmatch(r"(?!\d+$)[^/\0.][^/\0]{0,199}", name):
        raise ValueError(
            "a run's name is that of a folder, without a leading dot and not all digits; "
            f"got {name!r}"
        )
    if checkpoint_every < 1:
        raise ValueError(f"`checkpoint_every` must be 1 step or more; got {checkpoint_every}")


def _lock(folder):
    """Keep other processes out until this one ends or lets go; a kill lets go, too."""
    lock = (folder / ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ValueError(
            f"another process is training in {folder}; wait for it, or give another --run"
        ) from error
    return lock


def versions():
    """The versions that numbers depend on."""
    backend = importlib.import_module(keras.backend.backend())
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        backend.__name__: backend.__version__,
        "numpy": np.__version__,
    }
