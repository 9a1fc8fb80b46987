import dataclasses
import subprocess
import sys

import pytest

from training import untrained
from training.recipe import Recipe
from training.recipes import RECIPES, recipe
from zoo.models import PRESETS


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_names_a_preset_and_its_arguments(name):
    from inspect import signature

    from zoo.models.presets import MODELS

    made = RECIPES[name]
    preset = PRESETS[made.preset]
    assert set(made.overrides) <= set(signature(MODELS[preset.model]).parameters)


def test_an_unknown_recipe_is_answered_with_those_there_are():
    with pytest.raises(ValueError, match="no recipe 'datez'; the recipes are: dates"):
        recipe("datez")


@pytest.mark.parametrize(
    "field, value",
    [
        ("tokenizer", "bytes"),
        ("schedule", "cosign"),
        ("optimizer", "adamm"),
        ("precision", "float16"),
        ("accumulate", 0),
        ("ema", 1.0),
        ("average_last", 1),
        ("patience", -1),
        ("scheduled_sampling", 1.5),
        ("r_drop", -1.0),
        ("guided_alignment", -0.5),
        ("metric", "rouge"),
        ("batch_size", 0),
        ("epochs", -1),
        ("vocabulary_size", 0),
    ],
)
def test_a_value_that_can_not_be_is_refused(field, value):
    with pytest.raises(ValueError, match=f"`{field}` must be"):
        dataclasses.replace(Recipe(), **{field: value})


def test_inverse_square_root_wants_a_warm_up():
    with pytest.raises(ValueError, match="warmup_steps"):
        Recipe(schedule="inverse-sqrt")


@pytest.mark.parametrize("name", ["sgd", "adam", "adafactor"])
def test_weight_decay_wants_an_optimizer_that_has_it(name):
    with pytest.raises(ValueError, match=rf"`weight_decay` 0\.1 is for adamw and lion; .*'{name}'"):
        Recipe(optimizer=name, weight_decay=0.1)


def test_guided_alignment_wants_a_token_for_each_character():
    with pytest.raises(ValueError, match=r"needs the tokenizer characters.*; got 'words'"):
        Recipe(guided_alignment=1.0)


def test_recipes_import_nothing_heavy():
    code = "import sys, training.recipes; print(*{'keras', 'tensorflow'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


@pytest.mark.parametrize(
    "name, parameters",
    [
        # Wu et al. 2021 count 2.6M; the published cased figure is of 7.6M.
        ("multi30k-en-de-transformer", 2_605_056),
        ("multi30k-en-de-cased-transformer", 6_513_920),
    ],
)
def test_a_transformer_of_multi30k_is_as_large_as_the_one_it_is_compared_with(name, parameters):
    made = RECIPES[name]
    assert untrained.build(made, *[made.vocabulary_size] * 2).count_params() == parameters


def test_the_recurrent_recipes_of_multi30k_differ_in_cell_and_attention_alone():
    names = ["gru", "gru-without-attention", "lstm", "lstm-local-p"]
    made = [RECIPES[f"multi30k-en-de-{name}"] for name in names]
    assert len({dataclasses.replace(one, preset="", overrides={}).__repr__() for one in made}) == 1
    apart_from_attention = [{**one.overrides, "attend": None} for one in made]
    assert apart_from_attention == [apart_from_attention[0]] * 4
