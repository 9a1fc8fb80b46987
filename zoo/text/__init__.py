"""Text in the graph: tokenizers that travel inside an exported model."""

from zoo.text.character_tokenizer import CharacterTokenizer
from zoo.text.loading import load_tokenizer
from zoo.text.sentencepiece_tokenizer import SentencePieceTokenizer
from zoo.text.vocabulary import END, PAD, START, UNKNOWN, with_end, with_start_and_end
from zoo.text.word_tokenizer import WordTokenizer

__all__ = [
    "END",
    "PAD",
    "START",
    "UNKNOWN",
    "CharacterTokenizer",
    "SentencePieceTokenizer",
    "WordTokenizer",
    "load_tokenizer",
    "with_end",
    "with_start_and_end",
]
