"""What imports what: one way through the packages, and no TensorFlow where there need be none."""

import ast
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("zoo", "training", "serving")
BACKENDS = {"tensorflow", "jax", "torch"}


def modules(*folders):
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def imports(path):
    """Every module that a file names in an import, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def offenders(folder, forbidden):
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(folder)
        for name in imports(path)
        if any(name == module or name.startswith(f"{module}.") for module in forbidden)
    ]


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("zoo", {"training", "serving"}),
        ("training", {"serving"}),
        ("serving", {"training"}),
        ("zoo/layers", {"zoo.models", "zoo.decoding", "zoo.text", "zoo.translator", "zoo.explain"}),
        ("zoo/models", {"zoo.decoding", "zoo.text", "zoo.translator", "zoo.explain"}),
        ("zoo/decoding", {"zoo.translator", "zoo.explain"}),
        ("serving", {"zoo.explain"}),
        ("zoo/layers", BACKENDS),
        ("zoo/models", BACKENDS),
    ],
)
def test_imports_run_one_way(folder, forbidden):
    assert modules(folder)
    assert not offenders(folder, forbidden)


def run(code, backend="tensorflow"):
    """What a fresh interpreter prints."""
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_import_zoo_imports_nothing_heavy():
    code = "import sys, zoo; print(*{name.partition('.')[0] for name in sys.modules})"
    assert not set(run(code)) & {"keras", "numpy", *BACKENDS}


def test_zoo_names_what_it_has():
    code = """
import zoo
for name in zoo.__all__:
    assert getattr(zoo, name) is not None, name
assert set(zoo.__all__) <= set(dir(zoo))
try:
    zoo.nothing
except AttributeError as error:
    print(error)
"""
    assert run(code)[-1] == "'nothing'"


WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None  # any import of it now fails
import numpy as np
import zoo
assert zoo.layers and zoo.models
model = zoo.build(
    "luong-general",
    source_vocabulary_size=9,
    target_vocabulary_size=9,
    embedding_dim=4,
    units=4,
)
model.compile("sgd", "mse")
source, target = np.array([[1, 2, 0], [3, 4, 5]]), np.array([[6, 7], [8, 1]])
loss = model.train_on_batch((source, target), np.zeros((2, 2, 9), "float32"))
print(np.isfinite(loss), np.isfinite(model.predict((source, target), verbose=0)).all())
"""


@pytest.mark.parametrize("backend", ["jax", pytest.param("torch", marks=pytest.mark.slow)])
def test_models_train_where_tensorflow_is_not_installed(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    assert run(WITHOUT_TENSORFLOW, backend)[-2:] == ["True", "True"]
