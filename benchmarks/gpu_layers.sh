#!/usr/bin/env bash
# Self-attention on a GPU, on JAX and on PyTorch; needs keras and either of them, no TensorFlow.
set -euo pipefail
cd "$(dirname "$0")/.."
echo "| backend, device | batch, length, width, heads | kind | zoo ms | around kernel ms | kernel alone ms | / around | / alone |"
echo "|---|---|---|---|---|---|---|---|"
for backend in jax torch; do
    if python3 -c "import $backend" 2> /dev/null; then
        KERAS_BACKEND=$backend PYTHONPATH=.${PYTHONPATH:+:$PYTHONPATH} python3 benchmarks/gpu_layers.py "$@"
    else
        echo "$backend is not installed" >&2
    fi
done
