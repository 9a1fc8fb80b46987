"""Multi30k: captions of pictures and their translations, downloaded from their repository."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import tensorflow_datasets as tfds

from training.datasets.corpus import read_corpus
from training.datasets.embedded import quietly

SOURCE = (
    "https://raw.githubusercontent.com/multi30k/dataset/"
    "a3d2e0d26b56f3846f66a952536ffed4e401d05a/data/task1/"
)


class Builder(tfds.core.GeneratorBasedBuilder):
    """`en` -> `de` or `fr`; with `-tok` lower-cased, normalised and tokenised by Moses's scripts.

    Its licence lets it be downloaded, not passed on: no file of it is in this package. TFDS takes
    a file from `manual_dir` in place of the download when it is there under its name in
    `checksums.tsv`, the repository's own, and verifies its SHA-256 either way.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "Task 1 as of commit a3d2e0d."}
    BUILDER_CONFIGS: ClassVar = [
        tfds.core.BuilderConfig(name=f"en-{language}{kind}", description=text)
        for language in ("de", "fr")
        for kind, text in (
            ("", "cased text, as it was written"),
            ("-tok", "lower-cased, normalised and tokenised: what published BLEU is measured on"),
        )
    ]
    SPLITS: ClassVar = {
        "train": "train",
        "validation": "val",
        "test": "test_2016_flickr",
        "test_2017": "test_2017_flickr",
    }

    @property
    def languages(self) -> tuple[str, str]:
        source, target, *_ = self.builder_config.name.split("-")
        return source, target

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.Translation(languages=self.languages),
            supervised_keys=self.languages,
            homepage="https://github.com/multi30k/dataset",
            license="as Flickr30K: non-commercial research and educational purposes only",
            disable_shuffling=True,
        )

    def download_and_prepare(self, **kwargs) -> None:
        with quietly():
            super().download_and_prepare(**kwargs)

    def _split_generators(self, dl_manager):
        form = (
            "tok/{}.lc.norm.tok.{}" if self.builder_config.name.endswith("-tok") else "raw/{}.{}.gz"
        )
        paths = dl_manager.download(
            {
                split: [SOURCE + form.format(name, language) for language in self.languages]
                for split, name in self.SPLITS.items()
            }
        )
        return {split: self._generate_examples(pair) for split, pair in paths.items()}

    def _generate_examples(self, paths: list[Path]) -> Iterator[tuple[int, dict[str, str]]]:
        for position, pair in enumerate(read_corpus(paths)):
            yield position, dict(zip(self.languages, pair, strict=True))
