#!/usr/bin/env bash
# The Multi30k recipes on a GPU, on JAX; needs keras and jax, neither TensorFlow nor a network.
#
#   attention-zoo prepare multi30k-en-de-transformer --to prepared/joint    # where TensorFlow is
#   attention-zoo prepare multi30k-en-de-cased-transformer --to prepared/cased
#   attention-zoo prepare multi30k-en-de-gru --to prepared/separate
#   benchmarks/gpu_train.sh prepared/* --to results                         # on the GPU
#
# It ends after MINUTES in any case; the same command goes on.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${MINUTES:-25}
KERAS_BACKEND=jax PYTHONPATH=. PYTHONUNBUFFERED=1 timeout --signal=INT "$((minutes * 60))" \
    "${PYTHON:-python3}" benchmarks/gpu_train.py --minutes "$minutes" "$@" || test $? -eq 124
