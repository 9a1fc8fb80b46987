"""`benchmarks.quality`, from invented lines to tables."""

import dataclasses
from pathlib import Path

import pytest

from attention_zoo import cli
from benchmarks import gpu_train, quality
from training.callbacks import Keeper
from training.datasets.multi30k.multi30k_dataset_builder import Builder
from training.recipes import RECIPES

NAME = "multi30k-en-de-gru"


@pytest.fixture
def invented(monkeypatch):
    """Multi30k is its dummy data, and its recipe takes a moment."""

    def generators(self, manager):
        folder = Path(Builder.code_path).parent / "dummy_data"
        return {
            split: self._generate_examples(
                [folder / f"{name}.lc.norm.tok.{language}" for language in self.languages]
            )
            for split, name in self.SPLITS.items()
        }

    monkeypatch.setattr(Builder, "_split_generators", generators)
    overrides = {"units": 8, "embedding_dim": 8}
    short = {"epochs": 2, "warmup_steps": 0, "vocabulary_size": 300, "beam_size": 1}
    shrunk = dataclasses.replace(RECIPES[NAME], overrides=overrides, **short)
    monkeypatch.setitem(RECIPES, NAME, shrunk)


@pytest.fixture
def run(invented, tmp_path):
    """Measures in a folder of the test's own; what stands there then."""

    def run(*flags):
        folders = ["--to", str(tmp_path / "to"), "--data-dir", str(tmp_path / "data")]
        quality.main(["--recipes", NAME, "--seeds", "0", *folders, *flags])
        return (tmp_path / "to" / "results.md").read_text(encoding="utf-8")

    return run


@pytest.mark.slow
def test_trains_stops_goes_on_and_measures(run, monkeypatch, capsys, tmp_path):
    (tmp_path / "to").mkdir()
    with pytest.raises(FileNotFoundError):
        run("--so-far")
    assert f"{NAME}-0: not an epoch has been trained." in capsys.readouterr().out

    keep = Keeper.on_epoch_end

    def stop(self, epoch, logs):
        keep(self, epoch, logs)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Keeper, "on_epoch_end", stop)
        run()
    so_far = run("--so-far")
    assert "| 1 of 2 so far (best: 1, trained) |" in so_far
    assert so_far.count("multi30k/en-de-tok test") == 2

    whole = run()
    assert f"| `{NAME}` | multi30k/en-de-tok test |" in whole and "| 0 | 2 |" in whole
    assert "so far (" not in whole

    def again(*arguments, **options):
        raise AssertionError("trained, or translated, again")

    monkeypatch.setattr(quality, "train", again)
    monkeypatch.setattr(quality, "translator_of", again)
    assert run() == whole


@pytest.mark.slow
def test_measures_weights_that_were_trained_elsewhere(run, tmp_path):
    data = ["--data-dir", str(tmp_path / "data")]
    prepared, weights = str(tmp_path / "prepared"), ["--to", str(tmp_path / "weights")]
    cli.main(["prepare", NAME, "--to", prepared, *data])
    gpu_train.main([prepared, *weights, "--recipes", NAME, "--seeds", "0"])
    assert f"| {NAME}-0 |" in (tmp_path / "weights" / "results.md").read_text(encoding="utf-8")

    gpu_train.main([prepared, *weights, "--adopt", str(tmp_path / "to" / "models")])
    assert f"| `{NAME}` | multi30k/en-de-tok test |" in (measured := run("--so-far"))
    assert "| 0 | 2 |" in measured
