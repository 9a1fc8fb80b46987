"""Draw the pictures of `layers.md`: where trained models look, on one date.

    make pictures

Trains a small model for each mechanism on written dates, one after the other, and draws what it
does with `TEXT`. A second run trains only what is missing in `runs/pictures`.
"""

import calendar
import dataclasses
import functools
import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from mechanisms import TEXT

import zoo
from training.datasets.load import load_pairs
from training.recipes import RECIPES
from training.train import train
from zoo import card
from zoo.explain import Alignment, heat_map
from zoo.models.text_classifier import TextClassifier
from zoo.text import CharacterTokenizer, with_end, with_start_and_end

FOLDER = Path(__file__).parent / "pictures"
RUNS = Path("runs") / "pictures"
DATA = str(RUNS / "datasets")
START = "▸"

# Labels are not smoothed, as they are not in the papers.
_RECURRENT = dataclasses.replace(RECIPES["dates"], label_smoothing=0.0, epochs=1)
_TRANSFORMER = dataclasses.replace(
    RECIPES["dates-transformer"],
    overrides={"dim": 64, "hidden_dim": 128, "dropout": 0.0},
    learning_rate=4e-3,
    warmup_steps=300,
    epochs=2,
)


def recurrent(preset, epochs=1, **overrides):
    overrides = {**_RECURRENT.overrides, **overrides}
    return dataclasses.replace(_RECURRENT, preset=preset, epochs=epochs, overrides=overrides)


def transformer(preset, **overrides):
    overrides = {**_TRANSFORMER.overrides, **overrides}
    return dataclasses.replace(_TRANSFORMER, preset=preset, overrides=overrides)


# A dot product wants states as wide as the memory, so those two read the source one way.
MODELS = {
    "luong-dot": recurrent("luong-dot", bidirectional=False),
    "luong-scaled": recurrent("luong-scaled", epochs=3, bidirectional=False),
    "luong-general": recurrent("luong-general"),
    "luong-concat": recurrent("luong-concat"),
    "luong-location": recurrent("luong-location"),
    "luong-local-m": recurrent("luong-local-m", window=4),
    "luong-local-p": recurrent("luong-local-p", window=4),
    "bahdanau": recurrent("bahdanau-gru"),
    "bahdanau-normed": recurrent("bahdanau-normed"),
    "coverage": recurrent("bahdanau-coverage"),
    "monotonic": recurrent("bahdanau-monotonic"),
    "mocha": recurrent("mocha", window=4),
    "gnmt": recurrent("gnmt"),
    "transformer": transformer("transformer-lite"),
    "no-positions": transformer("transformer-lite", positions=None),
    "noise": transformer("transformer-noise"),
    "learned": transformer("transformer-learned"),
    "shaw": transformer("transformer-shaw"),
    "t5": transformer("transformer-t5"),
    "rotary": transformer("transformer-rope"),
    "alibi": transformer("transformer-alibi"),
    "multi-query": transformer("transformer-mqa"),
    "grouped-query": transformer("transformer-gqa"),
    "window": transformer("transformer-lite", window=4),
    "swiglu": transformer("transformer-swiglu"),
    "gelu": transformer("transformer-lite", activation="gelu"),
    "post-norm": transformer("transformer-lite", norm_first=False),
    "stochastic-depth": transformer("transformer-lite", stochastic_depth=0.1),
}


def alignment(translator):
    """Where each character of the target looks in the source."""
    return Alignment.rows(translator.translate_with_alignment(tf.constant([TEXT])))[0]


def hard(translator):
    """The same weights as soft, and the search itself in place of what is expected of it."""
    model = type(translator.model)(**{**translator.model.get_config(), "monotonic": "hard"})
    model.set_weights(translator.model.get_weights())
    return alignment(
        zoo.Translator(model, translator.source, translator.target, translator.decoding)
    )


def reading(translator, block=0):
    """Where each character of the source looks in the source, in a block of the encoder."""
    model, written = translator.model, alignment(translator)
    ids = with_end(translator.source.encode([TEXT]), 64).to_tensor()
    x = model.source_positions.embed(model.scale(model.source_embedding(ids)))
    for layer in model.encoder[: block + 1]:
        x, weights = layer(x, return_attention_scores=True)
    return dataclasses.replace(written, target=written.source, weights=most_decided(weights))


def reading_again(translator):
    """As `reading`, in the second block."""
    return reading(translator, block=1)


def writing(translator):
    """Where each character of the target looks in those before, in the decoder's first block."""
    model, written = translator.model, alignment(translator)
    ids = with_start_and_end(translator.target.encode([written.text]), 64)[:, :-1].to_tensor()
    x = model.target_positions.embed(model.scale(model.target_embedding(ids)))
    block = model.decoder[0]
    x = block.around_self.enter(x)
    _, weights = block.self_attention(x, return_attention_scores=True)
    read = [START, *written.target[:-1]]
    return dataclasses.replace(written, source=read, weights=most_decided(weights))


def most_decided(weights):
    """Of the heads of one text, the one whose largest weights are the largest on average."""
    heads = np.asarray(weights[0])  # (heads, queries, keys)
    return heads[heads.max(-1).mean(-1).argmax()]


def pooling():
    """Where two hops look that pool a classifier's text to tell the month, and how often it can."""
    texts, months = {}, {}
    for split in ("train", "validation"):
        pairs = load_pairs("dates", split, source="text", target="iso", data_dir=DATA)
        texts[split] = pairs.sources
        months[split] = np.array([int(iso[5:7]) - 1 for iso in pairs.targets])
    tokenizer = CharacterTokenizer.train(texts["train"], 12000)

    def ids(strings):
        return with_end(tokenizer.encode(strings), 64).to_tensor()

    path = RUNS / "models" / "pooling.keras"
    if not path.exists():
        keras.utils.set_random_seed(0)
        model = TextClassifier(tokenizer.vocabulary_size, 12, 64, hidden_dim=128, hops=2)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(2e-3), loss, jit_compile=False)
        model.fit(ids(texts["train"]), months["train"], 64, epochs=1, verbose=2)
        model.save(path)
    model = keras.models.load_model(path)
    guessed = model.predict(ids(texts["validation"][:500]), verbose=0).argmax(-1)
    right = 100 * np.mean(guessed == months["validation"][:500])
    probabilities = keras.ops.softmax(model(ids([TEXT])))[0].numpy()
    month = probabilities.argmax()
    drawn = Alignment(
        [*TEXT, "</s>"],
        ["hop 1", "hop 2"],
        model.attend(ids([TEXT]))[0].numpy(),
        calendar.month_name[month + 1],
        float(np.log(probabilities[month])),
    )
    return drawn, f"A `TextClassifier`, 1 epoch: the month right in {right:.1f} %."


# picture: the model that is drawn, and how
PICTURES = {
    **{name: (name, alignment) for name in MODELS if name not in ("monotonic", "transformer")},
    **{name: (name, reading) for name in ("multi-query", "grouped-query", "window")},
    **{name: (name, reading) for name in ("no-positions", "noise", "learned")},
    **{name: (name, reading) for name in ("shaw", "t5", "rotary", "alibi")},
    "monotonic-soft": ("monotonic", alignment),
    "monotonic-hard": ("monotonic", hard),
    "cross-attention": ("transformer", alignment),
    "self-attention": ("transformer", reading),
    "encoder-block": ("transformer", reading_again),
    "causal": ("transformer", writing),
}
VIEWS = {
    alignment: "{made}",
    hard: "The model of the picture above, decoded hard.",
    reading: "{made} The most decided head of the first encoder block.",
    reading_again: "{made} The most decided head of the second encoder block.",
    writing: f"{{made}} The most decided head of the first decoder block; {START} is the start.",
}


@functools.cache
def train_model(name):
    """The translator of that name, trained if it is not there yet."""
    folder = RUNS / "models" / name
    if not (folder / card.NAME).exists():
        print(f"\n{name}", flush=True)
        train(MODELS[name], name, runs=RUNS, saved_models=folder.parent, data_dir=DATA)
    return zoo.Translator.load(folder)


def made(name):
    """How a model was made, and how good it became, for the caption."""
    recipe, exact = MODELS[name], card.read(RUNS / "models" / name)["validation"]["exact_match"]
    base = _TRANSFORMER if recipe.schedule == _TRANSFORMER.schedule else _RECURRENT
    differing = {k: v for k, v in recipe.overrides.items() if base.overrides.get(k, ...) != v}
    settings = "".join(f", `{k}={v!r}`" for k, v in differing.items())
    epochs = "1 epoch" if recipe.epochs == 1 else f"{recipe.epochs} epochs"
    return f"`{recipe.preset}`{settings}, {epochs}: {exact:.1f} % right."


def draw(picture):
    """Draw one picture; its caption."""
    name, look = PICTURES[picture]
    heat_map([look(train_model(name))], FOLDER / f"{picture}.png")
    return VIEWS[look].format(made=made(name))


def main():
    captions = {picture: draw(picture) for picture in PICTURES}
    drawn, captions["pooling"] = pooling()
    heat_map([drawn], FOLDER / "pooling.png")
    listed = json.dumps(captions, indent=2, ensure_ascii=False)
    (FOLDER / "captions.json").write_text(listed + "\n", encoding="utf-8")
    print(f"Drew {len(captions)} pictures in {FOLDER}")


if __name__ == "__main__":
    main()
