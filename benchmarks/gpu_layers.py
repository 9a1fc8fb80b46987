"""How long self-attention in bfloat16 takes beside the backend's own attention, as a Markdown row.

    KERAS_BACKEND=jax python benchmarks/gpu_layers.py

The same projections stand around the rival's kernel: `jax.nn.dot_product_attention`, by cuDNN on a
GPU, or PyTorch's `scaled_dot_product_attention`. "core" is that kernel without projections.
Interleaved, medians of `ROUNDS`, milliseconds, causal or not, no TensorFlow. On a machine without
a GPU it runs on the CPU, and says so; `--length` makes it short.
"""

import argparse
import functools
import statistics
import time

import keras
import numpy as np

from zoo.layers import SelfAttention

BATCH, DIM, HEADS = 4, 1024, 16
ROUNDS = 31


def jax_engine():
    """The kernel, how a function is compiled, how its end is awaited, and the device's name."""
    import jax

    device = jax.devices()[0]
    implementation = "cudnn" if device.platform == "gpu" else "xla"
    kernel = functools.partial(jax.nn.dot_product_attention, implementation=implementation)
    return kernel, jax.jit, jax.block_until_ready, f"jax, {device.device_kind}, {implementation}"


def torch_engine():
    """As `jax_engine`; eager, as Keras runs there."""
    import torch

    def kernel(query, key, value, is_causal):
        parts = (x.transpose(1, 2) for x in (query, key, value))
        answer = torch.nn.functional.scaled_dot_product_attention(*parts, is_causal=is_causal)
        return answer.transpose(1, 2)

    def wait(_):
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    return kernel, torch.no_grad(), wait, f"torch, {name}"


ENGINES = {"jax": jax_engine, "torch": torch_engine}


def contenders(kernel, layer, causal):
    """Three functions of x: the layer, its projections around the kernel, the kernel alone."""

    def split(x):
        shape = (*x.shape[:2], HEADS, DIM // HEADS)
        return [part.reshape(shape) for part in keras.ops.split(x, 3, axis=-1)]

    def around(x):
        answer = kernel(*split(layer.projection(x)), is_causal=causal)
        return layer.output_projection(answer.reshape(x.shape))

    def core(x):
        part = x.reshape((*x.shape[:2], HEADS, DIM // HEADS))
        return kernel(part, part, part, is_causal=causal)

    return {"zoo": layer, "around": around, "core": core}


def medians(functions, x, wait):
    times = {name: [] for name in functions}
    for _ in range(ROUNDS + 3):
        for name, function in functions.items():
            start = time.perf_counter()
            wait(function(x))
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(spent[3:]) for name, spent in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--length", type=int, default=4096)
    length = parser.parse_args().length
    backend = keras.config.backend()
    if backend not in ENGINES:
        parser.error(f"KERAS_BACKEND must be one of {tuple(ENGINES)}, got {backend!r}.")
    kernel, compile_, wait, device = ENGINES[backend]()
    keras.config.set_dtype_policy("bfloat16")
    noise = np.random.default_rng(0).normal(size=(BATCH, length, DIM))
    x = keras.ops.cast(keras.ops.convert_to_tensor(noise.astype("float32")), "bfloat16")
    for causal in (False, True):
        layer = SelfAttention(HEADS, causal=causal)
        layer.build(x.shape)
        functions = {
            name: compile_(function) for name, function in contenders(kernel, layer, causal).items()
        }
        spent = medians(functions, x, wait)
        row = (device, (BATCH, length, DIM, HEADS), "causal" if causal else "plain")
        figures = (f"{spent[name]:.2f}" for name in ("zoo", "around", "core"))
        ratios = (f"{spent['zoo'] / spent[name]:.2f}" for name in ("around", "core"))
        print("|", " | ".join(map(str, (*row, *figures, *ratios))), "|", flush=True)


if __name__ == "__main__":
    main()
