#!/usr/bin/env bash
# The Multi30k recipes on a GPU, on JAX; needs keras and jax, neither TensorFlow nor a network.
#
#   attention-zoo prepare multi30k-en-de-transformer --to prepared/tokenised   # where TensorFlow is
#   attention-zoo prepare multi30k-en-de-cased-transformer --to prepared/cased
#   benchmarks/gpu_train.sh prepared/* --to results --jobs 6                # on the GPU
#
# It ends after MINUTES in any case; the same command goes on. Processes share a GPU best under
# NVIDIA's MPS: `nvidia-cuda-mps-control -d`, before. Before its first steps each recipe
# compiles one for each of 16 shapes, minutes of work for a processor, which are kept for its other
# seeds in JAX_COMPILATION_CACHE_DIR.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${MINUTES:-25}
export JAX_COMPILATION_CACHE_DIR=${JAX_COMPILATION_CACHE_DIR:-${TMPDIR:-/tmp}/jax-steps}
export XLA_PYTHON_CLIENT_PREALLOCATE=false # or the first takes the whole GPU
export KERAS_BACKEND=jax PYTHONPATH=.${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1
timeout --signal=INT "$((minutes * 60))" "${PYTHON:-python3}" benchmarks/gpu_train.py \
    --minutes "$minutes" "$@" || test $? -eq 124
