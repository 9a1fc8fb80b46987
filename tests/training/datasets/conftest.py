"""One folder of prepared datasets for all tests here: preparing one takes seconds."""

import pytest


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("tensorflow_datasets")
