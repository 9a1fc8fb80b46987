"""`benchmarks.alignment_presets`: which presets it has, and that it measures each of them once."""

import pytest

from benchmarks import alignment_presets, claim_models
from zoo.models.presets import PRESETS


def test_every_preset_with_attention_is_there():
    without = {"seq2seq-rnn", "seq2seq-gru", "seq2seq-lstm", "attention-classifier"}
    assert set(alignment_presets.with_attention()) == set(PRESETS) - without


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["luong-dot", "transformer-lite"])
def test_a_preset_is_trained_and_measured_once(preset, tmp_path, data_dir, monkeypatch, capsys):
    flags = ["--presets", preset, "--max-examples", "128", "--epochs", "1", "--sentences", "8"]
    folders = ["--folder", str(tmp_path), "--data-dir", str(data_dir)]
    alignment_presets.main([*flags, *folders])
    heading, _, row = capsys.readouterr().out.strip().splitlines()[-3:]
    assert heading.count("|") == row.count("|") == 11
    cells = row.strip("| ").split(" | ")
    assert cells[0] == preset
    assert all(0 <= float(cell) <= 1 for cell in cells[2:])
    monkeypatch.setattr(claim_models, "train", lambda *_, **__: 1 / 0)
    alignment_presets.main([*flags, *folders])
    assert capsys.readouterr().out.strip().splitlines()[-1] == row
