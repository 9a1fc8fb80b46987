"""How long self-attention takes, against Keras's own, on TensorFlow, as a Markdown table.

    python benchmarks/layers.py

Interleaved, medians of `ROUNDS`, milliseconds, one trace each: forward, as in inference, and
forward with backward, as in training, where dropout drops. PyTorch's `scaled_dot_product_attention`
with the same projections stands beside, where installed, timed apart: its idle threads go on
spinning, and would slow down whoever comes next.
"""

import os
import statistics
import time

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf

from zoo.layers import SelfAttention

SHAPES = [(64, 32, 128, 4), (16, 128, 512, 8), (2, 1024, 512, 8)]
KINDS = {"plain": {}, "dropout": {"dropout": 0.1}, "causal": {"causal": True}}
ROUNDS = 61


def keras_attention(heads, dim, causal=False, dropout=0.0):
    layer = keras.layers.MultiHeadAttention(heads, dim // heads, dropout=dropout)
    return layer, lambda x, **how: layer(x, x, use_causal_mask=causal, **how)


def zoo_attention(heads, dim, **options):
    layer = SelfAttention(heads, **options)
    return layer, layer


def passes(layer, call, x):
    """Forward, and forward with backward, as functions of nothing."""

    @tf.function
    def forward():
        return call(x)

    @tf.function
    def backward():
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.square(call(x, training=True)))
        weights = [weight.value for weight in layer.trainable_weights]
        return tape.gradient(loss, [x, *weights])

    forward()
    return forward, backward


def torch_passes(shape, causal=False, dropout=0.0):
    """The same in PyTorch, without dropout; None where it is not installed."""
    try:
        import torch
    except ImportError:
        return None
    batch, length, dim, heads = shape
    x = torch.randn(batch, length, dim, requires_grad=True)
    into, out = torch.nn.Linear(dim, 3 * dim), torch.nn.Linear(dim, dim)

    def attend():
        parts = into(x).view(batch, length, 3, heads, dim // heads).unbind(2)
        q, k, v = (part.transpose(1, 2) for part in parts)
        answer = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return out(answer.transpose(1, 2).reshape(batch, length, dim))

    def forward():
        with torch.no_grad():
            return attend()

    return forward, lambda: attend().square().sum().backward()


def interleaved(contenders):
    """Median milliseconds of each; the first round, which traces, does not count."""
    time.sleep(0.5)
    times = [[] for _ in contenders]
    pairs = list(zip(contenders, times, strict=True))
    for _ in range(ROUNDS + 1):
        pairs.reverse()  # nobody always comes after the same one
        for contender, spent in pairs:
            start = time.perf_counter()
            contender()
            spent.append(1000 * (time.perf_counter() - start))
    return [statistics.median(spent[1:]) for spent in times]


def main():
    print("| batch, length, width, heads | kind | pass | zoo ms | keras ms | / keras | / torch |")
    print("|---|---|---|---|---|---|---|")
    for shape in SHAPES:
        *size, heads = shape
        x = tf.random.normal(size)
        for kind, options in KINDS.items():
            makers = (zoo_attention, keras_attention)
            rivals = [passes(*make(heads, shape[2], **options), x) for make in makers]
            apart = torch_passes(shape, **options)
            for i, name in enumerate(("forward", "backward")):
                zoo, theirs = interleaved([rival[i] for rival in rivals])
                ratio = f"{zoo / interleaved([apart[i]])[0]:.2f}" if apart else "-"
                row = [shape, kind, name, f"{zoo:.1f}", f"{theirs:.1f}", f"{zoo / theirs:.2f}"]
                print("|", " | ".join(map(str, [*row, ratio])), "|", flush=True)


if __name__ == "__main__":
    main()
