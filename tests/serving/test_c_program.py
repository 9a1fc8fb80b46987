"""An export answers a C program the same, with this release's libraries and with others'.

The libraries of other releases are in wheels of hundreds of megabytes, which `make test-slow` keeps
in the folder `ATTENTION_ZOO_WHEELS`; pytest alone is to be told one.
"""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

import zoo
from serving.export import export
from zoo.replacing import replacing

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).with_name("ask_saved_model.c")
INSTALLED = Path(tf.__file__).parent
OTHERS = ("2.19.1", "2.20.0")
TEXTS = ["2013년 2월 9일 토요일", "Tuesday, 14 June 1904", "", "ᚠᚢᚦ", "12 June 4, " * 100]


@pytest.fixture(scope="module")
def version(tiny_model, tmp_path_factory):
    folder = shutil.copytree(tiny_model, tmp_path_factory.mktemp("saved_models") / "dates")
    return export(folder, beam_size=3)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Compiled against the installed wheel."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        pytest.skip("no C compiler: neither cc, gcc nor clang is here")
    program = tmp_path_factory.mktemp("c") / "ask_saved_model"
    libraries = [INSTALLED / f"libtensorflow_{name}.so.2" for name in ("cc", "framework")]
    flags = ["-Wall", "-Werror", f"-I{INSTALLED / 'include'}", "-Wl,--allow-shlib-undefined"]
    subprocess.run([compiler, *flags, SOURCE, *libraries, "-o", program], check=True)
    return program


def answers(program, libraries, version):
    """What the program prints with the libraries of that folder: the release, and a line a text."""
    saved = SavedModel.FromString((version / "saved_model.pb").read_bytes())
    signature = saved.meta_graphs[0].signature_def["serving_default"]
    names = signature.inputs["text"].name, signature.outputs["text"].name
    done = subprocess.run(
        [program, version, *names],
        input="".join(f"{text}\n" for text in TEXTS).encode(),
        capture_output=True,
        env={**os.environ, "LD_LIBRARY_PATH": str(libraries), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stderr.decode(), done.stdout.decode().split("\n")[:-1]


@pytest.fixture(scope="module")
def in_process(version):
    return zoo.Translator.load(version.parent, beam_size=3).translate_all(TEXTS)


def test_with_the_installed_libraries(program, version, in_process):
    release, got = answers(program, INSTALLED, version)
    assert f"TensorFlow {tf.__version__}" in release
    assert got == in_process


@pytest.mark.parametrize("release", OTHERS)
def test_with_the_libraries_of_another_release(release, program, version, in_process):
    used, got = answers(program, libraries_of(release), version)
    assert f"TensorFlow {release}" in used
    assert got == in_process


def libraries_of(release):
    """The folder of a release's libraries, out of its wheel."""
    if not os.environ.get("ATTENTION_ZOO_WHEELS"):
        pytest.skip("needs wheels of hundreds of megabytes: set ATTENTION_ZOO_WHEELS to a folder")
    cache = Path(os.environ["ATTENTION_ZOO_WHEELS"])
    folder = cache / release
    if not (folder / "tensorflow").is_dir():
        wanted = f"tensorflow-cpu=={release}"
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", cache]
        try:
            subprocess.run([*pip, wanted], check=True, timeout=900)
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"{wanted} can't be downloaded: {error}")
        (wheel,) = cache.glob(f"tensorflow_cpu-{release}-*.whl")
        with replacing(folder) as beside, zipfile.ZipFile(wheel) as files:
            for name in files.namelist():
                if name.startswith("tensorflow/libtensorflow_"):
                    files.extract(name, beside)
    return folder / "tensorflow"
