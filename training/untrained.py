"""A recipe's model before its training, and what is known of it by then."""

import dataclasses

import zoo


def build(recipe, source_size, target_size):
    """The untrained model, for vocabularies of these sizes.

    Raises:
        ValueError: for a preset that is none, or arguments that it does not take.
    """
    sizes = {"source_vocabulary_size", "target_vocabulary_size"} & set(recipe.overrides)
    if sizes:
        raise ValueError(f"`{sizes.pop()}` is the tokenizer's; change `vocabulary_size` instead")
    if recipe.overrides.get("share_embeddings") and not recipe.joint_vocabulary:
        raise ValueError("`share_embeddings` needs one vocabulary: give --joint-vocabulary")
    return zoo.build(
        recipe.preset,
        source_vocabulary_size=source_size,
        target_vocabulary_size=target_size,
        **recipe.overrides,
    )


def known(recipe, model, name, data, licence):
    """What the model's card says of what made it.

    Args:
        recipe: a `Recipe`.
        model: built.
        name: the model's.
        data: their name.
        licence: the data's; "" where it is not stated.
    """
    return {
        "name": name,
        "paper": zoo.PRESETS[recipe.preset].paper,
        "parameters": model.count_params(),
        "data": data,
        "licence": licence or "not stated",
        "recipe": dataclasses.asdict(recipe),
    }


def decoding(recipe):
    """How the trained model decodes."""
    lengths = (recipe.max_source_length, recipe.max_target_length)
    return zoo.Decoding(recipe.beam_size, recipe.length_penalty, *lengths)


def validation_decoding(recipe):
    """How it decodes in validation."""
    penalty = recipe.length_penalty if recipe.validation_beam > 1 else 0.0
    lengths = (recipe.max_source_length, recipe.max_target_length)
    return zoo.Decoding(recipe.validation_beam, penalty, *lengths)
