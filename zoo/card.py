"""The model card: what is known of a trained model, as `card.json` in its folder."""

import json
from pathlib import Path

NAME = "card.json"


def read(folder):
    """The card of a model's folder, a dict.

    Raises:
        FileNotFoundError: where there is none.
        ValueError: for one that is no JSON.
    """
    path = Path(folder) / NAME
    if not path.is_file():
        raise FileNotFoundError(
            f"no trained model in {folder}: expected {path}; train one with `attention-zoo train`"
        )
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); train the model again") from error


def write(folder, card):
    """Write the card beside its place and rename it into it."""
    beside = Path(folder) / f".writing.{NAME}"
    beside.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.rename(Path(folder) / NAME)
