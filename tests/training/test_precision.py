import dataclasses

import keras
import numpy as np
import pytest

import zoo
from training.precision import computing_in
from training.train import train


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("preset", ["luong-general", "transformer-lite"])
def test_computes_in_it_and_keeps_its_weights_in_float32(preset, precision):
    with computing_in(precision):
        model = zoo.build(preset, source_vocabulary_size=9, target_vocabulary_size=9)
    assert {keras.backend.standardize_dtype(v.dtype) for v in model.trainable_variables} == {
        "float32"
    }
    assert model.compute_dtype == precision.removeprefix("mixed_")
    assert keras.config.dtype_policy().name == "float32"


def test_goes_back_after_an_error():
    with pytest.raises(ZeroDivisionError), computing_in("mixed_bfloat16"):
        raise ZeroDivisionError
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["luong-general", "transformer-lite"])
@pytest.mark.parametrize(
    "change",
    [{"precision": "mixed_float16"}, {"precision": "mixed_bfloat16"}, {"jit": True}],
    ids=["float16", "bfloat16", "jit"],
)
def test_learns_and_saves_a_model_of_float32(change, preset, tiny_recipe, tmp_path, data_dir):
    size = {"dim": 16, "hidden_dim": 16} if preset == "transformer-lite" else tiny_recipe.overrides
    recipe = dataclasses.replace(tiny_recipe, preset=preset, overrides=size, **change)
    folders = {"runs": tmp_path / "runs", "saved_models": tmp_path}
    history = train(recipe, "tiny", data_dir=data_dir, **folders)
    assert history[-1]["val_loss"] < history[0]["val_loss"]
    model = zoo.load(tmp_path / "tiny")
    assert model.compute_dtype == "float32"
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@pytest.mark.slow
def test_a_step_that_xla_can_not_compile_is_one_line(tiny_recipe, tmp_path, data_dir):
    recipe = dataclasses.replace(tiny_recipe, preset="bahdanau-gru", jit=True)
    with pytest.raises(ValueError, match=r"compile a step of bahdanau-gru.*without --jit"):
        train(recipe, "tiny", runs=tmp_path, saved_models=tmp_path, data_dir=data_dir)
