"""From a dataset's files, downloaded or one's own, to TFDS's folder of prepared datasets."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import requests
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

SECONDS = 10


def prepare(builder: tfds.core.DatasetBuilder, data_files: str | None = None) -> None:
    """Prepares a dataset, unless it was prepared before.

    Args:
        builder: see `find_builder`.
        data_files: a folder with files of the dataset, under the names that its builder knows them
            by; they are taken in place of a download.

    Raises:
        ValueError: at once, where a download is needed and there is no network; for a folder with
            none of the files, also where the dataset was prepared before.
        FileNotFoundError: for no folder, likewise.
    """
    if data_files:
        _check_files(builder, Path(data_files))
    if builder.data_path.exists():
        return
    config = tfds.download.DownloadConfig(manual_dir=data_files)
    try:
        with _asking_hosts_first():
            builder.download_and_prepare(download_config=config)
    except (requests.RequestException, tfds.download.DownloadError) as error:
        otherwise = "put its files into a folder and give that as --data-files"
        if data_files:
            otherwise = f"put that file, which {data_files} lacks, into it"
        raise ValueError(
            f"{builder.name} can't be downloaded ({_first_line(error)}); connect to the network, "
            f"or {otherwise}"
        ) from error
    except NonMatchingChecksumError as error:
        raise ValueError(
            f"{builder.name}: a file is not what it should be ({_first_line(error)}); get it again"
        ) from error
    except AssertionError as error:
        if not builder.MANUAL_DOWNLOAD_INSTRUCTIONS:
            raise
        instructions = " ".join(builder.MANUAL_DOWNLOAD_INSTRUCTIONS.split())
        raise ValueError(
            f"{builder.name} is not downloaded by itself; give the folder of its files as "
            f"--data-files: {instructions}"
        ) from error


def _check_files(builder: tfds.core.DatasetBuilder, folder: Path) -> None:
    """Refuses a folder that would be passed over silently."""
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}; --data-files wants one with data files")
    known = sorted(info.filename for info in (builder.url_infos or {}).values() if info.filename)
    if known and not any((folder / name).is_file() for name in known):
        raise ValueError(
            f"{folder} has none of the files of {builder.name}, which are: {', '.join(known)}"
        )


@contextlib.contextmanager
def _asking_hosts_first() -> Iterator[None]:
    """Within it, a host that gives no answer ends a download at once.

    TFDS would try ten times, for minutes, without an end to each wait.
    """
    manager, answered = tfds.download.DownloadManager, set()
    download = manager._download

    def download_if_reached(self, resource):
        address = urlsplit(resource.url)
        if address.scheme in ("http", "https") and address.netloc not in answered:
            _ask(resource.url)
            answered.add(address.netloc)
        return download(self, resource)

    manager._download = download_if_reached
    try:
        yield
    finally:
        manager._download = download


def _ask(url: str) -> None:
    try:
        requests.get(url, stream=True, timeout=SECONDS).close()
    except requests.RequestException as error:
        raise requests.ConnectionError(f"no answer from {url}") from error


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(":")
