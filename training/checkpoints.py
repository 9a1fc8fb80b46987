"""The whole state of a training on disk: the newest, and the one before it."""

import dataclasses
import json
from pathlib import Path

from training import arrays


@dataclasses.dataclass
class Position:
    """Where a run is.

    Attributes:
        epoch, step: epochs done, and steps done in the one that is under way.
        metrics: the running metrics of that epoch.
        best: the best validation so far, and None before the first.
        best_epoch: how many epochs were done when it was measured.
        best_weights: what was measured: the weights as "trained", or an average by its name.
        history: each epoch's logs.
    """

    epoch: int = 0
    step: int = 0
    metrics: list = dataclasses.field(default_factory=list)
    best: float | None = None
    best_epoch: int = 0
    best_weights: str = "trained"
    history: list = dataclasses.field(default_factory=list)


class Checkpoints:
    """Two files in a folder, `checkpoint.npz` and the one that it took the place of.

    A kill at any moment leaves one of them whole, and damage to the newest costs the steps since
    the one before it.

    Args:
        folder: where.
    """

    def __init__(self, folder):
        self.newest = Path(folder) / "checkpoint.npz"
        self.before = Path(folder) / "checkpoint-before.npz"

    def save(self, variables, position):
        """Write the variables and the position.

        Raises:
            OSError: where they can't be written; both files are then as they were.
        """
        note = json.dumps(dataclasses.asdict(position))
        with arrays.writing(self.newest) as beside:
            with beside.open("wb") as file:
                arrays.write(file, variables, note)
            if self.newest.is_file():
                self.newest.replace(self.before)

    def restore(self, variables):
        """Set the variables to the newest checkpoint that is whole, if there is any.

        Returns:
            The `Position` to go on from.

        Raises:
            ValueError: where there are checkpoints, but none that is whole and of these variables.
        """
        there = [path for path in (self.newest, self.before) if path.is_file()]
        for path in there:
            try:
                values, note = arrays.read(path, variables)
                position = Position(**json.loads(note))
            except (ValueError, TypeError):
                continue
            if path != there[0]:
                print(
                    f"{there[0]} is damaged: going on from the checkpoint before it, "
                    f"epoch {position.epoch + 1}, step {position.step}.",
                    flush=True,
                )
            arrays.assign(variables, values)
            return position
        if there:
            raise arrays.damaged(there[0])
        return Position()
