"""The model card: what is known of a trained model, as `card.json` and `README.md` in its folder.

What is known of an exported version is in the version's own folder, and comes and goes with it.
"""

import json
import shlex
import urllib.parse
from pathlib import Path

from zoo.replacing import replacing
from zoo.settings import Decoding

NAME = "card.json"
PAGE = "README.md"

# In a version's folder, where a SavedModel has what TensorFlow Serving does not read.
OF_VERSION = Path("assets.extra", "export.json")

# What every card has, and what it may have.
NEEDED = {"decoding": dict, "files": dict}
POSSIBLE = {"recipe": dict, "scores": dict, "validation": dict}


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
        wrong += [name for name in POSSIBLE if not isinstance(card.get(name, {}), POSSIBLE[name])]
    except (ValueError, TypeError, KeyError) as error:
        wrong = [error]
    if wrong:
        raise ValueError(f"{path} is damaged ({wrong[0]}); restore it, or train the model again")
    return card


def write(folder, card):
    """Put a card into a model's folder, and the page for people beside it."""
    _write(Path(folder) / NAME, _json(card))
    write_page(folder, card)


def write_page(folder, card):
    """Write `README.md`, which says what the card and the versions in the folder say."""
    parts = [f"## {title}\n\n{_code(text)}" for title, text in facts(folder, card).items()]
    _write(Path(folder) / PAGE, "\n\n".join([f"# {Path(folder).resolve().name}", *parts]) + "\n")


def write_version(version_folder, **known):
    """Note in a version's folder what it was exported with."""
    (Path(version_folder) / OF_VERSION).write_text(_json(known), encoding="utf-8")


def facts(folder, card):
    """What there is to say of a model, by title: strings of one line or more."""
    folder = Path(folder).resolve()
    recipe = card.get("recipe", {})
    made = [recipe.get("preset"), f"{recipe['tokenizer']} in and out" if recipe else None]
    size = card.get("parameters")
    made.append(f"{size:,} parameters" if isinstance(size, int) else None)
    body = json.dumps({"instances": [recipe.get("example") or "..."]}, ensure_ascii=False)
    url = f"localhost:8501/v1/models/{urllib.parse.quote(folder.name)}:predict"
    told = {
        "What it is": "; ".join(filter(None, [", ".join(filter(None, made)), card.get("paper")])),
        "Data": f"{card.get('data', 'not stated')}; licence: {card.get('licence', 'not stated')}",
        "Scores": _scores(card),
        "Versions": _versions(folder),
        "Request": f"curl -d {shlex.quote(body)} {url}",
    }
    return {title: text or "not stated" for title, text in told.items()}


def _scores(card):
    scores = dict(card.get("scores", {}))
    if "validation" in card:
        scores["validation, in training"] = card["validation"]
    return "\n".join(f"{data}: {_named(scores[data])}" for data in scores) or "not evaluated"


def _versions(folder):
    numbers = sorted(int(path.name) for path in folder.iterdir() if path.name.isdecimal())
    return "\n".join(_version(folder / str(number)) for number in numbers) or "not exported"


def _version(folder):
    """A version and its decoding: the search, and whatever else is not the default."""
    try:
        known = json.loads((folder / OF_VERSION).read_text(encoding="utf-8"))
        decoding = {
            name: value
            for name, value in known.pop("decoding").items()
            if name in ("beam_size", "length_penalty") or value != getattr(Decoding, name, None)
        }
    except (OSError, ValueError, AttributeError, KeyError):
        return f"{folder.name}: decoding not stated"
    return f"{folder.name}: {_named({**decoding, **known})}"


def _named(values):
    return ", ".join(f"{name} {value}" for name, value in values.items() if value is not None)


def _code(text):
    """Text as a block of Markdown that shows it as it is."""
    return "\n".join(f"    {line}" for line in text.splitlines())


def _json(value):
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _write(path, text):
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")
