"""A TFDS builder whose files ship in its own package folder, so that nothing is downloaded."""

import abc
import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import tensorflow as tf
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError

from training.datasets.corpus import read_table

Rows = list[list[str]]


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """For what takes seconds: TFDS's announcements and progress bars would only be noise."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


class EmbeddedDataset(tfds.core.GeneratorBasedBuilder):
    """Tab-separated files in `data/` beside the builder, named in its `checksums.tsv`.

    TFDS takes a file from `manual_dir` in place of a download when `checksums.tsv` names it in
    its fourth column, and then verifies its size and SHA-256. This class only points `manual_dir`
    at `data/`. The "URL" of an embedded file is its name.

    A subclass states `FILES` and `COLUMNS` (properties, where they depend on the configuration),
    `_info` (with the licence, and `disable_shuffling=True`, which keeps the order of the files) and
    `rows_by_split`.
    """

    FILES: ClassVar[tuple[str, ...]]
    COLUMNS: ClassVar[tuple[str, ...]]

    @property
    def data_folder(self) -> Path:
        return Path(self.code_path).parent / "data"

    @abc.abstractmethod
    def rows_by_split(self, tables: dict[str, Rows]) -> dict[str, Rows]:
        """Shares the rows of `FILES`, keyed by file, out to the splits."""

    def download_and_prepare(self, *, download_config=None, **kwargs) -> None:
        config = download_config or tfds.download.DownloadConfig()
        config = config.replace(manual_dir=self.data_folder, try_download_gcs=False)
        with quietly():
            super().download_and_prepare(download_config=config, **kwargs)

    def _split_generators(self, dl_manager):
        try:
            paths = dl_manager.download({name: name for name in self.FILES})
        except (NonMatchingChecksumError, tf.errors.NotFoundError) as error:
            reason = str(error).splitlines()[0].rstrip(":")
            raise ValueError(
                f"{self.name}: a file in {self.data_folder} is missing or differs from "
                f"checksums.tsv ({reason}); install the package again"
            ) from error
        tables = {name: read_table(Path(path)) for name, path in paths.items()}
        splits = self.rows_by_split(tables)
        return {split: self._generate_examples(rows) for split, rows in splits.items()}

    def _generate_examples(self, rows: Rows) -> Iterator[tuple[int, dict[str, str]]]:
        for position, row in enumerate(rows):
            yield position, dict(zip(self.COLUMNS, row, strict=True))
