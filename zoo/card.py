"""The model card: what is known of a trained model, as `card.json` in its folder."""

import json
from pathlib import Path

from zoo.replacing import replacing

NAME = "card.json"

# What every card has.
NEEDED = {"decoding": dict, "files": dict}


def read(folder):
    """The card of a model's folder, a dict.

    Raises:
        FileNotFoundError: where there is none.
        ValueError: for one that is damaged.
    """
    path = Path(folder) / NAME
    if not path.is_file():
        raise FileNotFoundError(
            f"no trained model in {folder}: expected {path}; train one with `attention-zoo train`"
        )
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
        wrong = [name for name, kind in NEEDED.items() if not isinstance(card[name], kind)]
    except (ValueError, TypeError, KeyError) as error:
        wrong = [error]
    if wrong:
        raise ValueError(f"{path} is damaged ({wrong[0]}); restore it, or train the model again")
    return card


def write(folder, card):
    """Put a card into a model's folder."""
    with replacing(Path(folder) / NAME) as beside:
        beside.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
