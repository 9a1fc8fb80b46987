"""Written dates of 20 locales and their ISO form."""

from typing import ClassVar

import tensorflow_datasets as tfds

from training.datasets.embedded import EmbeddedDataset, Rows


class Builder(EmbeddedDataset):
    """`text` -> `iso`, with the `locale` and the gold `spans` of year, month and day."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "20 locales; 30,000, 2,000 and 2,000 dates."}
    FILES = ("train.tsv.gz", "valid.tsv.gz", "test.tsv.gz")
    COLUMNS = ("locale", "text", "iso", "spans")

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {column: tfds.features.Text() for column in self.COLUMNS}
            ),
            supervised_keys=("text", "iso"),
            license="Apache-2.0; month and day names from CLDR (Unicode-3.0)",
            disable_shuffling=True,
        )

    def rows_by_split(self, tables: dict[str, Rows]) -> dict[str, Rows]:
        train, validation, test = (tables[name] for name in self.FILES)
        return {"train": train, "validation": validation, "test": test}
