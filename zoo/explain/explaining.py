"""A model asked how its translations of texts came about."""

import numpy as np
import tensorflow as tf

from zoo.decoding import forced_gains
from zoo.explain.alignment import Alignment, as_text, labels
from zoo.explain.attribution import STEPS
from zoo.explain.attributor import Attributor
from zoo.explain.explanation import Explanation
from zoo.explain.heads import choose
from zoo.text import PAD


def explain(translator, texts, layer="last", heads="mean", method=None, steps=STEPS):
    """Explain the translations of texts.

    The model is forced to say what it decoded, once: `model.forced`.

    Args:
        translator: a `Translator` of one model.
        texts: list of strings or bytes.
        layer, heads: see `choose`.
        method: of the attribution, one of `zoo.explain.attribution.METHODS`; None for none.
        steps: of integrated gradients, at most.

    Returns:
        A list of `Explanation`.

    Raises:
        ValueError: for an empty text, an unknown layer, head or method, an ensemble, and a model
            without attention where no attribution is asked for.
    """
    if not hasattr(translator.model, "forced"):
        raise ValueError(
            "an ensemble has no layers and no embedding of its own to look into: explain its "
            "models one by one, or take the mean of their attention, `translate_with_alignment`"
        )
    cuts = [_cut(translator, text) for text in texts]
    if not (translator.model.has_attention or method):
        raise ValueError(
            "this model has no attention, so there is no alignment to show; ask for --attribution"
        )
    source, target = translator.ids(tf.constant(texts))
    target = target[:, : int(tf.reduce_max(_lengths(target)))]
    logits, attention = translator.model.forced(
        (translator.model.source_embedding(source), source != PAD, target[:, :-1])
    )
    chosen = choose([np.asarray(weights) for weights in attention], layer, heads)
    records = _records(translator, source, target, logits)
    found = Attributor(translator.model).attribute(method, source, target, steps) if method else ()
    return [
        Explanation(
            as_text(text),
            [_cropped(record, weights[i], title) for title, weights in chosen],
            found[i] if found else None,
            _cropped(record, found[i].shares, _title(method)) if found else None,
            cut,
        )
        for i, (text, cut, record) in enumerate(zip(texts, cuts, records, strict=True))
    ]


def _cut(translator, text):
    """Where a text is cut, in a line, or ""."""
    ids = translator.source.encode([text])[0]
    room = translator.decoding.max_source_length - 1  # END takes one
    if not len(ids):
        raise ValueError(f"there is nothing to translate in {as_text(text)!r}; give a text")
    if len(ids) <= room:
        return ""
    kept = labels([as_text(token) for token in translator.source.tokens(ids[:room]).numpy()])
    return (
        f"the text has {len(ids)} tokens and the model reads {room}: it was cut behind "
        f"{' '.join(kept[-5:])!r}"
    )


def _records(translator, source, target, logits):
    """For each row what its `Alignment`s share: a dict of its tokens, text and score."""
    scores = tf.reduce_sum(forced_gains(logits, target[:, 1:]), axis=1).numpy()
    said = translator.target.decode(target[:, 1:]).numpy()
    sides = ((translator.source, source), (translator.target, target[:, 1:]))
    tokens = [
        [
            [as_text(token) for token in row[:length]]
            for row, length in zip(side.tokens(ids).numpy(), _lengths(ids), strict=True)
        ]
        for side, ids in sides
    ]
    return [
        {"source": source, "target": target, "text": as_text(text), "score": float(score)}
        for source, target, text, score in zip(*tokens, said, scores, strict=True)
    ]


def _lengths(ids):
    return tf.reduce_sum(tf.cast(ids != PAD, tf.int32), axis=1)


def _cropped(record, weights, title):
    weights = weights[: len(record["target"]), : len(record["source"])]
    return Alignment(**record, weights=weights, title=title)


def _title(method):
    return method.replace("-", " ")
