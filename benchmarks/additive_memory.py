"""How much memory additive attention takes at its peak, whole and in chunks, as a Markdown table.

    python benchmarks/additive_memory.py

`BahdanauAttention` and Luong's concat on TensorFlow, each in a process of its own: the highest
resident memory of the process, less what it held with its inputs made and its layer built.
"""

import os
import resource
import subprocess
import sys

BATCH, QUERIES, KEYS, UNITS = 16, 512, 512, 256
CHUNKS = (1, 16, 64)
PASSES = ("forward", "backward")


def measure(score, chunks, name):
    """Megabytes of one pass."""
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    import tensorflow as tf

    from zoo.layers import BahdanauAttention, LuongAttention

    layers = {
        "bahdanau": lambda: BahdanauAttention(UNITS, chunks=chunks),
        "concat": lambda: LuongAttention("concat", UNITS, chunks=chunks),
    }
    layer = layers[score]()
    query = tf.random.normal((BATCH, QUERIES, UNITS))
    value = tf.random.normal((BATCH, KEYS, UNITS))
    layer.build(query.shape, value.shape)

    @tf.function
    def forward(query, value):
        return layer(query, value)

    @tf.function
    def backward(query, value):
        with tf.GradientTape() as tape:
            tape.watch((query, value))
            loss = tf.reduce_sum(tf.square(layer(query, value)))
        return tape.gradient(loss, [query, value, *(w.value for w in layer.trainable_weights)])

    run = {"forward": forward, "backward": backward}[name]
    run(query[:1, : CHUNKS[-1]], value[:1, :8])  # what TensorFlow holds once and for all
    before = peak()
    run(query, value)
    return peak() - before


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main():
    if len(sys.argv) > 1:
        score, chunks, name = sys.argv[1:]
        print(f"{measure(score, int(chunks), name):.0f}")
        return
    print(f"(batch, queries, keys, units) = {(BATCH, QUERIES, KEYS, UNITS)}\n")
    print("| score | pass | chunks | peak MB | / whole |")
    print("|---|---|---|---|---|")
    for score in ("bahdanau", "concat"):
        for name in PASSES:
            whole = None
            for chunks in CHUNKS:
                command = [sys.executable, __file__, score, str(chunks), name]
                megabytes = int(subprocess.check_output(command, stderr=subprocess.DEVNULL))
                whole = whole or megabytes
                row = (score, name, chunks, megabytes, f"{megabytes / whole:.2f}")
                print("|", " | ".join(map(str, row)), "|", flush=True)


if __name__ == "__main__":
    main()
