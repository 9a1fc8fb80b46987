"""Which models to serve, and which of their versions.

Either way in ends as TensorFlow Serving's own ``ModelServerConfig``: a folder laid out as
``<folder>/<name>/<integer version>/saved_model.pb``, or a ``models.config`` text file.
"""

from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelConfig, ModelServerConfig


def scan(folder: str | Path, base: str | None = None) -> ModelServerConfig:
    """Lists every sub-folder that holds a version.

    Args:
        folder: Where the models are.
        base: Where the server will see that folder, if elsewhere (a container's mount).
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"No folder {folder}: expected saved models; make one with export.")
    config = ModelServerConfig()
    for child in sorted(folder.iterdir()):
        if versions_in(child):
            base_path = f"{base or folder.resolve()}/{child.name}"
            config.model_config_list.config.add(
                name=child.name, base_path=base_path, model_platform="tensorflow"
            )
    if not config.model_config_list.config:
        if versions_in(folder) or (folder / "card.json").exists():
            models = folder.parent if folder.name else folder.resolve().parent
            raise ValueError(
                f"{folder} is the folder of one model; expected the one of all models: "
                f"did you mean {models}?"
            )
        raise ValueError(
            f"No servable model in {folder}: expected {folder}/<name>/<version>/saved_model.pb "
            "with an integer version; make one with export."
        )
    return config


def read(path: str | Path) -> ModelServerConfig:
    """Reads a ``models.config`` and holds it to TensorFlow Serving's rules."""
    path = Path(path)
    try:
        config = text_format.Parse(path.read_text("utf-8"), ModelServerConfig())
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise ValueError(f"Cannot read the model list {path}: {error}") from error
    models = config.model_config_list.config
    if not models:
        raise ValueError(
            f"{path} lists no model: expected model_config_list {{ config {{ ... }} }}"
        )
    for model in models:
        if not model.base_path.startswith("/"):
            raise ValueError(
                f"Expected model {model.name} to have an absolute path; "
                f"got base_path: {model.base_path!r} in {path}"
            )
    if len({model.name for model in models}) < len(models):
        raise ValueError(f"{path} lists a model more than once; give each its own name.")
    return config


def write(config: ModelServerConfig, path: str | Path) -> None:
    """Writes a ``models.config`` for ``--model_config_file``."""
    Path(path).write_text(text_format.MessageToString(config), "utf-8")


def versions_in(base_path: str | Path) -> dict[int, Path]:
    """The folders under a model's base path that a 64-bit integer names: its versions."""
    base_path = Path(base_path)
    if not base_path.is_dir():
        return {}
    return {
        int(child.name): child
        for child in base_path.iterdir()
        if child.name.isascii()
        and child.name.isdigit()
        and int(child.name) < 2**63
        and child.is_dir()
    }


def wanted_versions(model: ModelConfig) -> dict[int, Path]:
    """The versions on disk that the model's policy asks for; by default only the latest."""
    if not Path(model.base_path).is_dir():
        raise ValueError(f"Could not find base path {model.base_path} for servable {model.name}")
    versions, policy = versions_in(model.base_path), model.model_version_policy
    match policy.WhichOneof("policy_choice"):
        case "all":
            chosen = list(versions)
        case "specific":
            chosen = [version for version in policy.specific.versions if version in versions]
        case _:
            chosen = sorted(versions)[-max(policy.latest.num_versions, 1) :]
    return {version: versions[version] for version in chosen}
