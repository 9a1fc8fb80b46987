"""A model's file, in full precision or in half the space."""

import io
import json
import zipfile

import h5py
import numpy as np

CONFIG, WEIGHTS = "config.json", "model.weights.h5"  # within Keras's file, which is a zip


def store(model, path, precision="float32"):
    """Write a `.keras` file of the model, without its optimizer, which Keras would write, too.

    In "float16" its weights are rounded to half precision, which is half the space. Keras loads
    such a file as any other, and computes in float32 again.

    Raises:
        ValueError: for a weight that is beyond float16.
    """
    model.save(path)
    with zipfile.ZipFile(path) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    config = json.loads(parts[CONFIG])
    config.pop("compile_config", None)
    parts[CONFIG] = json.dumps(config).encode()
    parts[WEIGHTS] = _weights(parts[WEIGHTS], precision)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as lean:
        for name, content in parts.items():
            lean.writestr(name, content)


def _weights(content, precision):
    """An HDF5 file's bytes without the optimizer, its float32 datasets in another precision."""
    after = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as source, h5py.File(after, "w") as target:

        def copy(name, item):
            if name.partition("/")[0] == "optimizer":
                return
            if isinstance(item, h5py.Group):
                made = target.require_group(name)
            else:
                made = target.create_dataset(name, data=_in_precision(name, item[()], precision))
            made.attrs.update(item.attrs)

        source.visititems(copy)
        target.attrs.update(source.attrs)
    return after.getvalue()


def _in_precision(name, values, precision):
    if values.dtype != np.float32:
        return values
    if np.abs(values).max(initial=0) > np.finfo(precision).max:
        raise ValueError(f"weight {name} is beyond {precision}; store the model in float32")
    return values.astype(precision)
