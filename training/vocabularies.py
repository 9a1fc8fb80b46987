"""The tokenizers of a recipe, learned from its training pairs."""

from itertools import chain

from zoo.text import CharacterTokenizer, SentencePieceTokenizer, WordTokenizer

TOKENIZERS = {
    "characters": CharacterTokenizer,
    "words": WordTokenizer,
    "sentencepiece": SentencePieceTokenizer,
}


def train_tokenizers(recipe, pairs):
    """The tokenizers of source and target; one and the same with `joint_vocabulary`.

    Raises:
        ValueError: for a vocabulary that these texts do not allow.
    """

    def train(texts):
        return TOKENIZERS[recipe.tokenizer].train(texts, recipe.vocabulary_size, lower=recipe.lower)

    if recipe.joint_vocabulary:
        joint = train(chain(pairs.sources, pairs.targets))
        return joint, joint
    return train(pairs.sources), train(pairs.targets)
