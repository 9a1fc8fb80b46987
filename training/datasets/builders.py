"""From the name of a dataset, or the folder of one, to TFDS's builder for it."""

import difflib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import tensorflow_datasets as tfds


def find_builder(dataset: str, data_dir: str | None = None) -> tfds.core.DatasetBuilder:
    """Finds a builder, without a look at the network for an unknown name.

    Args:
        dataset: the name of a dataset of this package or of TFDS, `name/config:version`; or a
            folder, which holds a builder of one's own (`*_dataset_builder.py`, with `/config`
            after it if it has several) or what TFDS prepared (`dataset_info.json`). A name comes
            first: `./dates` is the folder, `dates` the dataset.
        data_dir: where prepared datasets are; by default TFDS's own folder.

    Raises:
        ValueError: for what is neither, with the closest names there are.
    """
    name = re.split("[/:]", dataset)[0]
    embedded = sorted(
        path.parent.name for path in Path(__file__).parent.glob("*/*_dataset_builder.py")
    )
    if name in embedded:  # Importing it registers it with TFDS.
        importlib.import_module(f"training.datasets.{name}.{name}_dataset_builder")
    elif name not in (others := tfds.list_builders(with_community_datasets=False)):
        if builder := dataset and _from_folder(dataset, data_dir):
            return builder
        kind = f"folder, and no dataset of this package ({', '.join(embedded)}) or of TFDS"
        raise unknown_name(name.strip(".") or dataset, {*embedded, *others}, kind)
    try:
        return tfds.builder(dataset, data_dir=data_dir)
    except (AssertionError, TypeError, ValueError) as error:
        raise _unknown_configuration(dataset, name, tfds.builder_cls(name)) from error


def unknown_name(name: str, known: Iterable[str], kind: str) -> ValueError:
    """Makes the error for an unknown name, with those that there are, the closest first."""
    closest = difflib.get_close_matches(name, known, n=8, cutoff=0)
    return ValueError(f"{name!r} is no {kind}; there is: {', '.join(closest) or 'none'}")


def _unknown_configuration(dataset: str, name: str, builder: type) -> ValueError:
    configurations = [f"{name}/{config}" for config in builder.builder_configs]
    return unknown_name(dataset, configurations or [name], f"configuration or version of {name}")


def _from_folder(dataset: str, data_dir: str | None) -> tfds.core.DatasetBuilder | None:
    """Gives the builder of a folder, or of `folder/config`; None if there is no such folder."""
    folder, config = Path(dataset), None
    if not folder.is_dir() and "/" in dataset:
        folder, config = folder.parent, folder.name
    if config is None and (folder / "dataset_info.json").is_file():
        return _prepared(folder)
    code = sorted(folder.glob("*_dataset_builder.py"))
    if len(code) == 1:
        builder = _builder_class(_import(code[0]))
        try:
            return builder(config=config, data_dir=data_dir)
        except (AssertionError, ValueError) as error:
            raise _unknown_configuration(dataset, str(folder), builder) from error
    if config is None and folder.is_dir():
        raise ValueError(
            f"{folder} has no dataset_info.json and {len(code)} files *_dataset_builder.py; "
            "expected the folder of one builder, or of a prepared dataset: name/config/1.0.0"
        )
    return None


def _prepared(folder: Path) -> tfds.core.DatasetBuilder:
    try:
        return tfds.builder_from_directory(folder)
    except Exception as error:  # whatever there is to say of two JSON files
        raise ValueError(
            f"{folder}: a damaged dataset ({_reason(error)}); copy it again"
        ) from error


def _import(path: Path) -> ModuleType:
    """Runs a builder's file anew, with its folder's modules in reach, and unknown to TFDS."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # TFDS finds the file of a class through its module.
    try:
        with tfds.core.utils.add_sys_path(path.parent), tfds.core.registered.skip_registration():
            spec.loader.exec_module(module)
    except Exception as error:  # whatever is wrong with that code
        raise ValueError(f"{path} can't be imported ({_reason(error)})") from error
    return module


def _builder_class(module: ModuleType) -> type[tfds.core.DatasetBuilder]:
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, tfds.core.DatasetBuilder)
        and value.__module__ == module.__name__
    ]
    if len(classes) != 1:
        raise ValueError(
            f"{module.__file__} defines {len(classes)} dataset builders; expected one, "
            "a subclass of tfds.core.GeneratorBasedBuilder"
        )
    return classes[0]


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
