"""Which models there are to ask, and sentences to ask them with."""

from pathlib import Path

from attention_zoo.asking_commands import no_such_model
from serving.client import ServerError
from zoo import card

DATES = ("2013년 2월 9일 토요일", "Tuesday, 14 June 1904", "1981年5月3日(日)", "le 3 mars 2021")
OF_LANGUAGE = {
    "en": ("Where is the station?", "I have never seen such a beautiful sunset.", "She is right."),
    "fr": ("Où est la gare ?", "Je n'ai pas le temps.", "Elle a raison."),
    "ko": ("역이 어디예요?", "나는 배가 고파요.", "그녀 말이 맞아요."),
}


def names(saved_models):
    """The names of the models in a folder, sorted.

    Raises:
        ValueError: where it has none.
    """
    found = sorted(path.parent.name for path in Path(saved_models).glob(f"*/{card.NAME}"))
    if not found:
        raise ValueError(
            f"no trained model in {str(saved_models)!r} to take names from: name those that the "
            "server has by --model"
        )
    return found


def choices(client, models):
    """The models to choose from, and in a line what there is to know of the others, or "".

    Those of `models` that the server answers for; all, where it is away or answers for none.
    """
    try:
        found = [model for model in models if _is_available(client, model)]
    except ServerError as error:
        return models, reason(error)
    missing = ", ".join(model for model in models if model not in found)
    return found or models, f"the server has no model {missing}" if missing else ""


def reason(error):
    """What a `ServerError` or another says, without the name of a code."""
    if not isinstance(error, ServerError):
        return str(error)
    return no_such_model(error) if error.code == "NOT_FOUND" else error.message


def _is_available(client, model):
    try:
        return any(version["state"] == "AVAILABLE" for version in client.status(model))
    except ServerError as error:
        if error.code != "NOT_FOUND":
            raise
        return False


def examples(saved_models, model):
    """Sentences to try a model with: its card's, and others in that language.

    Args:
        saved_models: the folder with the model's card; where it has none, there are no sentences.
        model: its name.
    """
    try:
        recipe = card.read(Path(saved_models) / model).get("recipe", {})
    except (FileNotFoundError, ValueError):
        return []
    dates = recipe.get("dataset") == "dates"
    others = DATES if dates else OF_LANGUAGE.get(recipe.get("source"), ())
    sentences = dict.fromkeys([recipe.get("example"), *others])
    return [sentence for sentence in sentences if sentence]
