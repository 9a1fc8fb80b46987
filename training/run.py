"""The run folder: what made a run, and the checkpoint from which it goes on."""

import dataclasses
import fcntl
import json
import platform
import zipfile
from pathlib import Path

import keras
import numpy as np

from zoo.replacing import replacing

# Fields of a recipe that play no part in training: a run may go on with others.
AFTERWARDS = ("beam_size", "length_penalty", "licence", "example")


@dataclasses.dataclass
class Position:
    """Where a run is.

    Attributes:
        epoch, step: epochs done, and steps done in the one that is under way.
        metrics: the running metrics of that epoch.
        best: the best validation so far.
        history: each epoch's logs.
    """

    epoch: int = 0
    step: int = 0
    metrics: list = dataclasses.field(default_factory=list)
    best: float = -1.0
    history: list = dataclasses.field(default_factory=list)


class Run:
    """A folder that holds one run.

    `run.json` says what made it; `checkpoint.npz` is the whole state of the training: weights,
    optimizer, random seeds and position; `best.weights.h5` the best weights so far.
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
        self._lock = _lock(self.folder)
        try:
            self._claim(json.loads(json.dumps({**made_by, "versions": versions()})))
        except ValueError:
            self.close()
            raise

    @property
    def checkpoint(self):
        return self.folder / "checkpoint.npz"

    @property
    def best_weights(self):
        return self.folder / "best.weights.h5"

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

    def save_checkpoint(self, model, position):
        """Write the state of the training."""
        arrays = {f"variable_{i}": np.asarray(v) for i, v in enumerate(_state(model))}
        with replacing(self.checkpoint) as beside, beside.open("wb") as file:
            np.savez(file, position=json.dumps(dataclasses.asdict(position)), **arrays)

    def restore_checkpoint(self, model):
        """Set the state of the training to the checkpoint's, if there is one.

        Returns:
            The `Position` to go on from.

        Raises:
            ValueError: for a checkpoint that is damaged or of another model.
        """
        if not self.checkpoint.is_file():
            return Position()
        variables = _state(model)
        try:
            with np.load(self.checkpoint) as arrays:
                position = Position(**json.loads(str(arrays["position"])))
                values = [arrays[f"variable_{i}"] for i in range(len(arrays.files) - 1)]
        except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
            raise _damaged(self.checkpoint) from error
        if [value.shape for value in values] != [tuple(v.shape) for v in variables]:
            raise _damaged(self.checkpoint)
        if position.epoch and not self.best_weights.is_file():
            raise _damaged(self.best_weights)
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return position

    def save_best(self, model):
        """Keep the model's weights as the best."""
        with replacing(self.best_weights) as beside:
            model.save_weights(beside)

    def restore_best(self, model):
        """Set the model's weights to the best."""
        try:
            model.load_weights(self.best_weights)
        except (OSError, KeyError, ValueError) as error:
            raise _damaged(self.best_weights) from error


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


def _damaged(path):
    return ValueError(f"{path} is missing or damaged; remove {path.parent} to begin anew")


def versions():
    """The versions that numbers depend on."""
    import tensorflow as tf

    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
    }


def _state(model):
    """All variables that training changes: weights, dropout seeds and the optimizer's."""
    return [*model.variables, *model.optimizer.variables]
