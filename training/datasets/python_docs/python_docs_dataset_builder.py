"""Python's documentation and its translations, sentence by sentence."""

from typing import ClassVar

import tensorflow_datasets as tfds

from training.datasets.embedded import EmbeddedDataset, Rows


class Builder(EmbeddedDataset):
    """`en` -> `ko` or `fr`, with the `file` of the documentation that each pair is from."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "Python 3.13: 30,521 pairs en-ko, 21,421 pairs en-fr."}
    BUILDER_CONFIGS: ClassVar = [
        tfds.core.BuilderConfig(name="en-ko", description="English and Korean"),
        tfds.core.BuilderConfig(name="en-fr", description="English and French"),
    ]

    @property
    def FILES(self) -> tuple[str]:
        return (f"pydocs.{self.builder_config.name}.tsv.gz",)

    @property
    def COLUMNS(self) -> tuple[str, str, str]:
        return "file", *self.builder_config.name.split("-")

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {column: tfds.features.Text() for column in self.COLUMNS}
            ),
            supervised_keys=self.COLUMNS[1:],
            homepage="https://docs.python.org/3.13/",
            license="English: PSF-2.0; translations: CC0-1.0",
            disable_shuffling=True,
        )

    def rows_by_split(self, tables: dict[str, Rows]) -> dict[str, Rows]:
        (_, *rows) = tables[self.FILES[0]]
        columns = {"train": "train", "valid": "validation", "test": "test"}
        return {
            split: [row[1:] for row in rows if row[0] == written]
            for written, split in columns.items()
        }
