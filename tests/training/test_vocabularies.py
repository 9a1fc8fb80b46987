import dataclasses

import pytest

from training.datasets.load import Pairs
from training.recipe import Recipe
from training.train import _translator
from training.vocabularies import train_tokenizers

PAIRS = Pairs("own", ["red hat", "big red hat"], ["roter hut", "großer roter hut"])
RECIPE = Recipe(preset="transformer-lite", overrides={"dim": 8, "num_layers": 1, "num_heads": 2})


@pytest.mark.parametrize("tokenizer", ["characters", "words", "sentencepiece"])
def test_a_joint_vocabulary_is_learned_from_both_sides(tokenizer):
    recipe = Recipe(tokenizer=tokenizer, vocabulary_size=285, joint_vocabulary=True)
    source, target = train_tokenizers(recipe, PAIRS)
    assert source is target
    assert {"h", "t"} <= {letter for piece in source.vocabulary for letter in piece}
    for text in (*PAIRS.sources, *PAIRS.targets):
        assert source.decode(source.encode([text]).to_tensor()).numpy()[0].decode() == text


def test_separate_ones_know_their_own_side_alone():
    source, target = train_tokenizers(Recipe(tokenizer="characters"), PAIRS)
    assert "ß" in target.vocabulary
    assert "ß" not in source.vocabulary


def test_a_joint_vocabulary_lets_a_transformer_share_its_embeddings():
    shared = {**RECIPE.overrides, "share_embeddings": True, "tie_embeddings": True}
    recipe = dataclasses.replace(RECIPE, joint_vocabulary=True, overrides=shared)
    tokenizers = train_tokenizers(recipe, PAIRS)
    model = _translator(recipe, PAIRS, "own", *tokenizers).model
    assert model.source_embedding is model.target_embedding
    assert model.output_shape[-1] == tokenizers[0].vocabulary_size


def test_embeddings_are_not_shared_by_two_vocabularies():
    recipe = dataclasses.replace(RECIPE, overrides={"share_embeddings": True})
    with pytest.raises(ValueError, match="give --joint-vocabulary"):
        _translator(recipe, PAIRS, "own", *train_tokenizers(recipe, PAIRS))
