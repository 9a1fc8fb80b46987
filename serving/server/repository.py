"""The models on disk and in memory: polled, loaded, swapped without a gap, looked up."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from grpc import StatusCode
from tensorflow.core.protobuf.config_pb2 import ConfigProto
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusResponse, ModelVersionStatus
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.model_config import wanted_versions
from serving.server.batching import Batching
from serving.server.status import StatusError, invalid, status_of
from serving.server.versions import LoadedVersion
from serving.server.warmup import warm_up
from serving.server_options import ServerOptions
from zoo.freed_memory import give_back_memory

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """What is known of one version.

    Attributes:
        state: A `ModelVersionStatus.State`.
        loaded: The model, while it is served.
        error: Why it is not, if loading failed.
        changed: When its folder last changed, if loading failed: no second try before the next.
    """

    state: int
    loaded: LoadedVersion | None = None
    error: StatusError | None = None
    changed: int | None = None


@dataclass(frozen=True)
class View:
    """What is served at one moment: each model's versions, and what its labels mean."""

    table: dict[str, dict[int, Entry]]
    labels: dict[str, dict[str, int]]


class Repository:
    """Serves what a model list asks for.

    Only `poll` changes the view, and it puts a new one in place of the old: a reader takes the
    view once, table and labels together, and needs no lock.

    Args:
        list_models: Gives the current list; called at each poll.
        batching: How to run requests together; alone, if not given.
        max_rows: The most rows of a request.
        session_config: Of the sessions that the graphs run in.
    """

    def __init__(
        self,
        list_models: Callable[[], ModelServerConfig],
        batching: Batching | None = None,
        max_rows: int = ServerOptions.max_rows,
        session_config: ConfigProto | None = None,
    ) -> None:
        self._list_models = list_models
        self._batching = batching
        self._max_rows = max_rows
        self._session_config = session_config
        self._view = View({}, {})
        self._changes = 0
        self._watcher: threading.Thread | None = None

    def find(self, spec: ModelSpec) -> LoadedVersion:
        """The version that a request asks for: by number, by label, or the latest."""
        if not spec.name:
            raise invalid("ModelSpec has no name specified.")
        view = self._view
        version = _version(spec, view.labels)
        loaded = _loaded(view, spec.name)
        number = max(loaded, default=None) if version is None else version
        if number not in loaded:
            asked = (
                f"Latest({spec.name})" if version is None else f"Specific({spec.name}, {version})"
            )
            raise StatusError(StatusCode.NOT_FOUND, f"Servable not found for request: {asked}")
        return loaded[number]

    def status(self, spec: ModelSpec) -> GetModelStatusResponse:
        """The state of one version, or of all, newest first; labels play no part in it."""
        entries = self._view.table.get(spec.name, {})
        if not entries:
            message = f"Could not find any versions of model {spec.name}"
            raise StatusError(StatusCode.NOT_FOUND, message)
        if spec.HasField("version"):
            version = spec.version.value
            if version not in entries:
                message = f"Could not find version {version} of model {spec.name}"
                raise StatusError(StatusCode.NOT_FOUND, message)
            entries = {version: entries[version]}
        return GetModelStatusResponse(
            model_version_status=[
                ModelVersionStatus(
                    version=version,
                    state=entry.state,
                    status=entry.error.to_proto() if entry.error else {},
                )
                for version, entry in sorted(entries.items(), reverse=True)
            ]
        )

    def known(self, name: str) -> str:
        """The name, if a model has it; else the empty one."""
        return name if name in self._view.table else ""

    def served(self) -> list[str]:
        """Each loaded version as ``name/version``, for the line that a server starts with."""
        return [
            f"{name}/{version}"
            for name, entries in self._view.table.items()
            for version, entry in sorted(entries.items())
            if entry.loaded
        ]

    @property
    def is_watched(self) -> bool:
        """Whether a poll may be at work in the background, be it after the end of `watched`."""
        return self._watcher is not None and self._watcher.is_alive()

    def poll(self, stop: threading.Event | None = None) -> None:
        """Looks at the disk once, and loads and unloads what changed.

        Args:
            stop: Once it is set, no other version is begun.
        """
        stop = stop or threading.Event()
        models = {model.name: model for model in self._list_models().model_config_list.config}
        changes = self._changes
        for name, model in models.items():
            self._settle(name, wanted_versions(model), dict(model.version_labels), stop)
        for name in self._view.table.keys() - models.keys():
            self._settle(name, {}, {}, stop)
        if self._changes != changes:
            give_back_memory()  # here, where nothing holds what was unloaded

    @contextmanager
    def watched(
        self, seconds: float, grace_seconds: float = ServerOptions.grace_seconds
    ) -> Iterator[None]:
        """Polls in the background for as long as the block runs.

        Args:
            seconds: The time between two polls.
            grace_seconds: How long to wait at the end for one that is at work.
        """
        stop = threading.Event()
        self._watcher = threading.Thread(None, self._watch, "repository", (seconds, stop))
        self._watcher.start()
        try:
            yield
        finally:
            stop.set()
            self._watcher.join(grace_seconds)

    def _watch(self, seconds: float, stop: threading.Event) -> None:
        said = ""
        while not stop.wait(seconds):
            try:
                self.poll(stop)
                said = ""
            except (OSError, ValueError) as error:  # what is loaded goes on
                if said != str(error):
                    log.warning("%s", error)
                said = str(error)
            except Exception:  # so does the polling, whatever it was
                log.exception("a poll failed")

    def _settle(
        self, name: str, wanted: dict[int, Path], labels: dict[str, int], stop: threading.Event
    ) -> None:
        """Loads what is wanted, then labels it; then, unless all failed, unloads what is not."""
        for version, folder in sorted(wanted.items()):
            if stop.is_set():
                return
            if self._is_due(name, version, folder):
                self._load(name, version, folder)
        served = _loaded(self._view, name)
        given = self._label(name, labels, served)
        kept = {version for label, version in given.items() if version != labels[label]}
        unwanted = served.keys() - wanted.keys() - kept
        if unwanted and (not wanted or served.keys() & wanted.keys()):
            for version in unwanted:
                self._set(name, version, Entry(ModelVersionStatus.END))

    def _label(
        self, name: str, asked: dict[str, int], served: dict[int, LoadedVersion]
    ) -> dict[str, int]:
        """As asked, but a label waits where it is served until the version asked for is, too."""
        before = self._view.labels.get(name, {})
        waiting = {
            label: before[label]
            for label, version in asked.items()
            if version not in served and before.get(label) in served
        }
        given = {**asked, **waiting}
        self._view = replace(self._view, labels={**self._view.labels, name: given})
        return given

    def _is_due(self, name: str, version: int, folder: Path) -> bool:
        entry = self._view.table.get(name, {}).get(version)
        return entry is None or (not entry.loaded and entry.changed != _last_change(folder))

    def _load(self, name: str, version: int, folder: Path) -> None:
        changed = _last_change(folder)
        self._set(name, version, Entry(ModelVersionStatus.LOADING))
        try:
            loaded = LoadedVersion(
                name, version, folder, self._batching, self._max_rows, self._session_config
            )
            warm_up(loaded, folder)
        except Exception as error:  # a broken export fails in any way it likes: others go on
            status = _in_one_line(status_of(error))
            self._set(name, version, Entry(ModelVersionStatus.END, error=status, changed=changed))
            log.warning("%s/%d is not served: %s", name, version, status.message)
        else:
            self._set(name, version, Entry(ModelVersionStatus.AVAILABLE, loaded=loaded))

    def _set(self, name: str, version: int, entry: Entry) -> None:
        entries = {**self._view.table.get(name, {}), version: entry}
        self._view = replace(self._view, table={**self._view.table, name: entries})
        self._changes += 1


def _loaded(view: View, name: str) -> dict[int, LoadedVersion]:
    entries = view.table.get(name, {})
    return {version: entry.loaded for version, entry in entries.items() if entry.loaded}


def _in_one_line(error: StatusError) -> StatusError:
    """And of a length that can be read: some quote the whole graph."""
    line = " ".join(error.message.split())
    return StatusError(error.code, line if len(line) <= 1024 else f"{line[:1024]}...TRUNCATED")


def _version(spec: ModelSpec, labels: dict[str, dict[str, int]]) -> int | None:
    match spec.WhichOneof("version_choice"):
        case "version":
            return spec.version.value
        case "version_label":
            label = spec.version_label
            if label not in labels.get(spec.name, {}):
                raise invalid(f"Unrecognized servable version label: {label}")
            return labels[spec.name][label]
        case _:
            return None


def _last_change(folder: Path) -> int:
    """0 for a folder that is gone."""
    times = [0]
    for path in [folder, *folder.rglob("*")]:
        with suppress(OSError):  # it is gone by now, or a link to nothing
            times.append(path.stat().st_mtime_ns)
    return max(times)
