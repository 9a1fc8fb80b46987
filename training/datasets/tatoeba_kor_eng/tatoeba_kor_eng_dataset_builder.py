"""English sentences and their Korean translations, from Tatoeba."""

from typing import ClassVar

import tensorflow_datasets as tfds

from training.datasets.embedded import EmbeddedDataset, Rows
from training.datasets.splits import split_pairs


class Builder(EmbeddedDataset):
    """`en` -> `ko`, split by the English sentence, with the `attribution` of each pair."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "3,723 pairs."}
    FILES = ("kor-eng.tsv.gz",)
    COLUMNS = ("en", "ko", "attribution")

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {column: tfds.features.Text() for column in self.COLUMNS}
            ),
            supervised_keys=("en", "ko"),
            homepage="https://www.manythings.org/anki/",
            license="CC BY 2.0 FR; attribution: tatoeba.org and www.manythings.org/anki",
            disable_shuffling=True,
        )

    def rows_by_split(self, tables: dict[str, Rows]) -> dict[str, Rows]:
        (rows,) = tables.values()
        return split_pairs(rows)
