"""How fast models train, against PyTorch and against Keras's `MultiHeadAttention`, on a CPU.

    python -m benchmarks.train [--models tiny base gru lstm] [--rounds 15] [--threads 1]
    python -m benchmarks.train --check

A step is forward, loss, backward, global clipping and Adam, with dropout, as `attention-zoo train`
takes it. Batches are of random ids; the last fifth of their rows has padding. The rivals take turns
in processes of their own. Medians: milliseconds a step, target tokens a second, and ours over a
peer's. The last column is the share of our step that the output projection and the loss take with
their gradients, timed alone. `--check` shows the loss of the same weights, without dropout, here
and in PyTorch.
"""

import argparse
import os
import statistics
import time

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")

import numpy as np

from benchmarks.served_model import fresh_process

_ONE_EMBEDDING = {"tie_embeddings": True, "share_embeddings": True}
_RECURRENT = {"units": 256, "embedding_dim": 128}
# The preset, what differs from it, and rows and length of a batch.
MODELS = {
    "tiny": (
        "transformer-lite",
        {"dim": 128, "num_layers": 4, "num_heads": 4, "hidden_dim": 256, **_ONE_EMBEDDING},
        (128, 32),
    ),
    "base": (
        "transformer-lite",
        {"dim": 512, "num_layers": 6, "num_heads": 8, "hidden_dim": 2048, **_ONE_EMBEDDING},
        (16, 32),
    ),
    "gru": ("bahdanau-gru", _RECURRENT, (64, 24)),
    "lstm": ("luong-general", _RECURRENT, (64, 24)),
}
VOCABULARY, DROPOUT = 8000, 0.1
START = 2
CLOSE = 1e-4


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(asked.threads)
    if asked.check:
        for name in asked.models:
            check(name)
        return
    print("| model | ms | tokens/s | PyTorch, ms | ours over it | MultiHeadAttention, ms ", end="")
    print("| ours over it | projection and loss |\n|---|---|---|---|---|---|---|---|")
    for name in asked.models:
        report(name, asked.rounds, asked.threads)
    print(f"\nThe machine's load was {os.getloadavg()[0]:.1f} at the end.")


def check(name):
    """Print a model's losses; end where they, or any logits, differ."""
    with fresh_process() as process:
        ours, theirs, apart = process.submit(compared, name).result()
    print(f"{name}: loss {ours:.6f}, in PyTorch {theirs:.6f}; logits differ by up to {apart:.0e}")
    if max(abs(ours - theirs), apart) > CLOSE:
        raise SystemExit(f"{name}: they differ by more than {CLOSE}")


def report(name, rounds, threads):
    """Print the row of one model."""
    ours_alone = fresh_process()
    ways = {
        "ours": (ours_alone, ours),
        "projection": (ours_alone, projection_and_loss),
        "PyTorch": (fresh_process(), pytorch),
    }
    if name in ("tiny", "base"):
        ways["Keras"] = fresh_process(), keras_attention
    found = medians(ways, name, rounds, threads)
    for process, _ in ways.values():
        process.shutdown()
    mine = found["ours"]
    cells = [f"{1e3 * mine:.0f}", f"{np.count_nonzero(batch(name)[2]) / mine:,.0f}"]
    for peer in ("PyTorch", "Keras"):
        theirs = found.get(peer)
        cells += [f"{1e3 * theirs:.0f}", f"{theirs / mine:.2f}"] if theirs else ["-", "-"]
    print(f"| {name} | {' | '.join(cells)} | {found['projection'] / mine:.0%} |", flush=True)


def medians(ways, name, rounds, threads):
    """Seconds of a step of each way; the first round, which traces, does not count."""
    times, order = {way: [] for way in ways}, list(ways)
    for _ in range(rounds + 1):
        order.reverse()  # nobody always comes after the same one
        for way in order:
            process, make = ways[way]
            times[way].append(process.submit(timed, make, name, threads).result())
    return {way: statistics.median(taken[1:]) for way, taken in times.items()}


def timed(make, name, threads):
    """Seconds that a step takes, in the process that takes all of them."""
    if (make, name) not in _STEPS:
        _STEPS[make, name] = make(name, threads)
    step = _STEPS[make, name]
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


_STEPS = {}


def batch(name):
    """Source, target in and target out, int32 `(rows, length)`."""
    rows, length = MODELS[name][2]
    random = np.random.default_rng(0)
    source, target = random.integers(4, VOCABULARY, (2, rows, length + 1)).astype("int32")
    target[:, 0] = START
    for row in range(rows - rows // 5, rows):
        source[row, random.integers(length // 2, length) :] = 0
        target[row, random.integers(length // 2, length) :] = 0
    return source[:, 1:], target[:, :-1], target[:, 1:]


def recipe():
    from training.recipe import Recipe

    return Recipe(label_smoothing=0.1)


def model(name, dropout=DROPOUT):
    import keras

    import zoo

    keras.utils.set_random_seed(0)
    preset, overrides, _ = MODELS[name]
    sizes = dict.fromkeys(("source_vocabulary_size", "target_vocabulary_size"), VOCABULARY)
    return zoo.build(preset, **sizes, **overrides, dropout=dropout)


def ours(name, threads):
    _limit(threads)
    from training.learner import learner

    return _fitting(learner(model(name), recipe(), steps=1), name)


def keras_attention(name, threads):
    from benchmarks.keras_transformer import keras_transformer

    _limit(threads)
    sizes = {key: MODELS[name][1][key] for key in ("dim", "num_layers", "num_heads", "hidden_dim")}
    return _fitting(keras_transformer(VOCABULARY, **sizes, dropout=DROPOUT), name)


def _limit(threads):
    import tensorflow as tf

    if tf.config.threading.get_intra_op_parallelism_threads() != threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def _fitting(learning, name):
    """A step of `fit`."""
    from training.fitting import compile_for

    compile_for(recipe(), learning, epoch_batches=1)
    source, target_in, target_out = batch(name)
    return lambda: learning.train_on_batch((source, target_in), target_out)


def projection_and_loss(name, threads):
    """The end of the forward pass and the beginning of the backward pass."""
    import tensorflow as tf

    from training.linear_crossentropy import linear_crossentropy

    _limit(threads)
    made = model(name)
    width = made.options.get("units") or made.options["dim"]
    *_, labels = batch(name)
    outputs = tf.random.normal((*labels.shape, width))

    @tf.function
    def gradients():
        with tf.GradientTape() as tape:
            tape.watch(outputs)
            matrix, bias = made.output_weights
            loss, _ = linear_crossentropy(outputs, matrix, bias, labels, recipe().label_smoothing)
        return tape.gradient(loss, [outputs, *tape.watched_variables()])

    return gradients


def pytorch(name, threads):
    torch = import_torch()
    torch.set_num_threads(threads)
    trained = torch_training(model(name))
    ids = [torch.from_numpy(side).long() for side in batch(name)]
    return lambda: trained.step(*ids)


def import_torch():
    """PyTorch with Triton, which crashes where it is loaded after TensorFlow."""
    import torch
    import torch._dynamo

    return torch


def torch_training(translator):
    """The model in PyTorch, as the recipe trains it."""
    from benchmarks import torch_training
    from training.optimizers import optimizer

    kinds = {
        None: torch_training.TransformerTraining,
        "gru": torch_training.BahdanauTraining,
        "lstm": torch_training.LuongTraining,
    }
    kind, options = kinds[translator.options.get("cell")], translator.options
    ours = optimizer(recipe(), translator.trainable_variables, 1)
    adam = {
        "lr": recipe().learning_rate,
        "betas": (ours.beta_1, ours.beta_2),
        "eps": ours.epsilon,
    }
    loss = {"label_smoothing": recipe().label_smoothing, "clip_norm": recipe().clip_norm}
    return kind(translator, options["dropout"], **loss, **adam)


def compared(name):
    """Of the same weights on the same batch: both losses, and how far the logits are apart."""
    torch = import_torch()
    from training.linear_crossentropy import linear_crossentropy

    translator, random = model(name, dropout=0.0), np.random.default_rng(1)
    for variable in translator.trainable_variables:
        # As they begin, the logits of some models hardly differ, whatever the attention does.
        variable.assign(random.normal(0, 0.1, variable.shape))
    source, target_in, target_out = batch(name)
    logits = translator((source, target_in))
    outputs = translator.unprojected((source, target_in))
    weights, smoothing = translator.output_weights, recipe().label_smoothing
    loss, _ = linear_crossentropy(outputs, *weights, target_out, smoothing)
    trained = torch_training(translator)
    ids = [torch.from_numpy(side).long() for side in batch(name)]
    with torch.no_grad():
        apart = np.abs(logits - trained.logits(*ids[:2]).numpy())[target_out > 0].max()
        return float(loss), trained.loss(*ids).item(), apart


if __name__ == "__main__":
    main()
