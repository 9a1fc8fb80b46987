"""A model's file, in full precision or in half the space."""

import io
import zipfile

import h5py
import numpy as np

WEIGHTS = "model.weights.h5"  # within Keras's file, which is a zip


def store(model, path, precision="float32"):
    """Write a `.keras` file of the model, without its optimizer.

    In "float16" its weights are rounded to half precision, which is half the space. Keras loads
    such a file as any other, and computes in float32 again.

    Raises:
        ValueError: for a weight that is beyond float16.
    """
    model.save(path, include_optimizer=False)
    if precision == "float32":
        return
    with zipfile.ZipFile(path) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    parts[WEIGHTS] = _rounded(parts[WEIGHTS], precision)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as half:
        for name, content in parts.items():
            half.writestr(name, content)


def _rounded(content, precision):
    """An HDF5 file's bytes with its float32 datasets in another precision, compressed."""
    after = io.BytesIO()
    with h5py.File(io.BytesIO(content)) as source, h5py.File(after, "w") as target:

        def copy(name, item):
            if isinstance(item, h5py.Group):
                made = target.require_group(name)
            else:
                made = target.create_dataset(name, data=_in_precision(name, item[()], precision))
            for key, value in item.attrs.items():
                made.attrs[key] = value

        source.visititems(copy)
        for key, value in source.attrs.items():
            target.attrs[key] = value
    return after.getvalue()


def _in_precision(name, values, precision):
    if values.dtype != np.float32:
        return values
    if np.abs(values).max(initial=0) > np.finfo(precision).max:
        raise ValueError(f"weight {name} is beyond {precision}; store the model in float32")
    return values.astype(precision)
