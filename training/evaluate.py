"""How good a trained model is on data that it has not seen."""

from pathlib import Path

import zoo
from training.datasets.builders import find_builder
from training.datasets.download import prepare
from training.datasets.load import whole_corpus
from training.quality import MEASURES
from training.recipe import Recipe
from training.train import pairs_of
from zoo import card


def evaluate(folder, *, split="test", corpus=(), data_dir=None, data_files=None):
    """Translate with the model's own decoding, measure it, and note it on the card.

    Args:
        folder: such as `saved_models/dates`.
        split: of the data that the model was trained on: "test", "validation" or "train".
        corpus: files to evaluate on instead, the whole of them.
        data_dir: where TFDS keeps prepared datasets.
        data_files: a folder of the dataset's files, to prepare it from in place of a download.

    Returns:
        A dict of measures in percent, and `examples`, how many there were.
    """
    folder = Path(folder)
    translator = zoo.Translator.load(folder)
    known = card.read(folder)
    try:
        recipe = Recipe.from_json(known["recipe"])
    except (TypeError, KeyError) as error:
        raise ValueError(f"{folder / card.NAME} is damaged ({error}); train again") from error
    if data_files:
        prepare(find_builder(recipe.dataset, data_dir), data_files)
    pairs = whole_corpus(corpus) if corpus else pairs_of(recipe, split, data_dir)
    hypotheses = translator.translate_all(pairs.sources)
    names = ["exact_match"] if recipe.metric == "exact_match" else ["bleu", "chrf"]
    scores = {name: round(MEASURES[name](hypotheses, pairs.targets), 2) for name in names}
    scores["examples"] = len(pairs.sources)
    data = pairs.name if corpus else split
    card.write(folder, {**known, "scores": {**known.get("scores", {}), data: scores}})
    return scores
