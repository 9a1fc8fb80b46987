"""Alignment error rates of models of written dates, as a Markdown table.

    python -m benchmarks.alignment saved_models --sentences 200

For each model of `dates` in the folder: its attention, layer by layer, mean of the heads and head
by head, and its attributions, on the first test dates, forced to say the gold translation. Beside
the error rate, how much weight lies on the weekday, from which nothing comes.
"""

import argparse
import os
from pathlib import Path

BATCH = 32


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of models of `dates`")
    parser.add_argument("--sentences", type=int, default=200)
    parser.add_argument("--data-dir", help="where TFDS keeps prepared datasets")
    parsed = parser.parse_args()
    if parsed.sentences < 1:
        parser.error(f"--sentences wants 1 or more, got {parsed.sentences}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from training.datasets.load import load_examples

    examples = load_examples("dates", "test", data_dir=parsed.data_dir)
    columns = [examples[name][: parsed.sentences] for name in ("text", "iso", "spans")]
    folders = sorted(card.parent for card in parsed.folder.glob("*/card.json"))
    if not folders:
        raise SystemExit(
            f"no models in {parsed.folder}; train some with `attention-zoo train dates`"
        )
    print("| model | what looks | AER | on the weekday |")
    print("|---|---|---|---|")
    for folder in folders:
        for row in measure(folder, *columns):
            print("|", folder.name, "|", " | ".join(row), "|", flush=True)


def measure(folder, texts, isos, spans):
    """The rows of a model: what looks, its error rate and its weight on the weekday."""
    import zoo
    from benchmarks.gold_links import parse
    from zoo.explain.attribution import METHODS
    from zoo.explain.attributor import Attributor

    translator = zoo.Translator.load(folder)
    if not translator.source.kind == translator.target.kind == "characters":
        return
    attributor = Attributor(translator.model)
    source, target = ids(translator, texts, isos)
    spans = [parse(one) for one in spans]
    for title, weights in attentions(translator.model, source, target):
        yield title, *written(against_gold(weights, texts, spans))
    for method in METHODS:
        shares = shares_of(attributor, method, source, target)
        yield method.replace("-", " "), *written(against_gold(shares, texts, spans))


def shares_of(attributor, method, source, target):
    """The shares of each sentence's attribution, those of noise, too: each digit gets a link."""
    from zoo.explain.attribution import shares

    parts = [slice(i, i + BATCH) for i in range(0, len(source), BATCH)]
    found = [attributor.attribute(method, source[part], target[part]) for part in parts]
    return [shares(one.values) for batch in found for one in batch]


def ids(translator, texts, isos):
    """Source and target ids, as the model is forced with them."""
    from zoo.text import with_end, with_start_and_end

    limits = translator.decoding.max_source_length, translator.decoding.max_target_length + 1
    source = with_end(translator.source.encode(texts), limits[0]).to_tensor()
    return source, with_start_and_end(translator.target.encode(isos), limits[1]).to_tensor()


def attentions(model, source, target):
    """Titles and weights `(sentences, target, source)` of every layer: the mean, and each head."""
    from zoo.explain.heads import choose

    if not model.has_attention:
        return
    _, attention = model.forced((model.source_embedding(source), source != 0, target[:, :-1]))
    attention = [weights.numpy() for weights in attention]
    yield from choose(attention, "all", "mean")
    if attention[0].shape[1] > 1:
        yield from choose(attention, "all", "all")


def against_gold(weights, texts, spans):
    """The error rate over all sentences, and the mean weight on the weekday."""
    from benchmarks.gold_links import found, gold, on_weekday
    from zoo.explain import alignment_error_rate

    links = [set(), set(), set()]
    weekday = []
    for i, (text, span) in enumerate(zip(texts, spans, strict=True)):
        cropped = weights[i][:, : len(text)]
        for all_links, own in zip(links, (found(cropped, span), *gold(text, span)), strict=True):
            all_links |= {(i, *link) for link in own}
        weekday += [mass for mass in [on_weekday(cropped, span)] if mass is not None]
    return alignment_error_rate(*links), sum(weekday) / len(weekday)


def written(numbers):
    return [f"{number:.3f}" for number in numbers]


if __name__ == "__main__":
    main()
