"""English sentences and their French translations, from Tatoeba."""

from typing import ClassVar

import tensorflow_datasets as tfds

from training.datasets.embedded import EmbeddedDataset, Rows
from training.datasets.splits import split_pairs


class Builder(EmbeddedDataset):
    """`en` -> `fr`, split by the English sentence, which often has several translations."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "167,130 pairs, as of 2019-04-07."}
    FILES = ("fra-eng.tsv.gz",)
    COLUMNS = ("en", "fr")

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.Translation(languages=self.COLUMNS),
            supervised_keys=self.COLUMNS,
            homepage="https://www.manythings.org/anki/",
            license="CC BY 2.0 FR; attribution: tatoeba.org and www.manythings.org/anki",
            disable_shuffling=True,
        )

    def rows_by_split(self, tables: dict[str, Rows]) -> dict[str, Rows]:
        (pairs,) = tables.values()
        return split_pairs(pairs)
