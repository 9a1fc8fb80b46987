"""The run folder: what made a run, and the checkpoint from which it goes on."""

import dataclasses
import json
import platform
import zipfile
from pathlib import Path

import keras
import numpy as np


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
        ValueError: if the folder was made by something else, naming what differs.
    """

    def __init__(self, folder, made_by):
        self.folder = Path(folder)
        made_by = {**made_by, "versions": versions()}
        self._claim(json.loads(json.dumps(made_by)))

    @property
    def checkpoint(self):
        return self.folder / "checkpoint.npz"

    @property
    def best_weights(self):
        return self.folder / "best.weights.h5"

    def _claim(self, made_by):
        path = self.folder / "run.json"
        if not path.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(".writing.run.json")
            beside.write_text(json.dumps(made_by, indent=2, ensure_ascii=False), encoding="utf-8")
            beside.rename(path)
            return
        before = json.loads(path.read_text(encoding="utf-8"))
        differences = [
            f"{name} was {before.get(part, {}).get(name)!r}, is {value!r}"
            for part, values in made_by.items()
            for name, value in values.items()
            if before.get(part, {}).get(name) != value
        ]
        if differences:
            raise ValueError(
                f"{self.folder} holds another run ({'; '.join(differences)}); "
                "give another --run, or remove the folder"
            )

    def save_checkpoint(self, model, position):
        """Write the state of the training."""
        arrays = {f"variable_{i}": np.asarray(v) for i, v in enumerate(_state(model))}
        beside = self.folder / ".writing.checkpoint.npz"
        with beside.open("wb") as file:
            np.savez(file, position=json.dumps(dataclasses.asdict(position)), **arrays)
        beside.rename(self.checkpoint)

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
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"{self.checkpoint} is damaged ({error}); remove it to begin anew"
            ) from error
        if [value.shape for value in values] != [tuple(v.shape) for v in variables]:
            raise ValueError(f"{self.checkpoint} is of another model; remove it to begin anew")
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return position

    def save_best(self, model):
        """Keep the model's weights as the best."""
        beside = self.folder / ".writing.weights.h5"
        model.save_weights(beside)
        beside.rename(self.best_weights)


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
