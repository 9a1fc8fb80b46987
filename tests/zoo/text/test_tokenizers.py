"""What holds for every tokenizer."""

import json
import subprocess
import sys

import keras
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.text import CharacterTokenizer, SentencePieceTokenizer, WordTokenizer, load_tokenizer

TEXTS = ["Le chat est là, l'homme aussi.", "2013년 2월 9일", "the cat sat on the mat"] * 5
CLASSES = [CharacterTokenizer, WordTokenizer, SentencePieceTokenizer]
ODD = [
    *("", " \t\n", "the cat " * 1250, "x" * 10_000, "\0", "a\0b\x01", "\ufeffthe", "e\u0301"),
    *(b"\xff\xfe", b"caf\xe9", b"\xed\xa0\x80\xed\xb0\x80", b"\xf0\x9f\x98", "😀 👩‍👩‍👧", "한국어"),
    *("שלום, עולם", "مرحبا", "▁the▁", "<pad> <unk> <s> </s>", "\U0010ffff\ufdd0", "cat\u2028mat"),
]


def train(tokenizer_class, texts):
    if tokenizer_class is SentencePieceTokenizer:
        pytest.importorskip("tensorflow_text")
    return tokenizer_class.train(texts, size=320)


@pytest.fixture(scope="module", params=CLASSES, ids=lambda c: c.kind)
def tokenizer(request):
    return train(request.param, TEXTS)


def decoded(tokenizer, texts):
    ids = tokenizer.encode(texts).to_tensor()
    return [text.decode() for text in tokenizer.decode(ids).numpy()]


@settings(max_examples=25, deadline=None)
@given(texts=st.lists(st.text(max_size=30), max_size=4))
def test_tables_give_back_the_text_up_to_whitespace(texts):
    folded = [" ".join(text.replace("\0", "\ufffd").split()) for text in texts]
    vocabulary_texts = [*texts, "a"]
    characters = CharacterTokenizer.train(vocabulary_texts, size=1000)
    assert decoded(characters, texts) == folded
    words = WordTokenizer.train(vocabulary_texts, size=1000)
    assert decoded(words, texts) == [text.replace("▁", "_") for text in folded]


def test_known_text_comes_back(tokenizer):
    assert decoded(tokenizer, TEXTS) == TEXTS


def test_a_seed_set_later_leaves_it_as_it_is(tokenizer):
    traced = tf.function(lambda texts: tokenizer.encode(texts).to_tensor())
    before = traced(tf.constant(TEXTS))
    keras.utils.set_random_seed(1)
    assert decoded(tokenizer, TEXTS) == TEXTS
    assert tf.reduce_all(traced(tf.constant(TEXTS)) == before)


def test_odd_input_gets_an_answer(tokenizer):
    ids = tokenizer.encode(ODD)
    assert ids.dtype == tf.int32
    assert not set(ids.flat_values.numpy().tolist()) & {0, 2, 3}
    assert ids.flat_values.numpy().max() < tokenizer.vocabulary_size
    assert ids[:2].to_list() == [[], []]
    assert len(decoded(tokenizer, ODD)) == len(ODD)


def test_batch_mates_change_nothing(tokenizer):
    ids = tokenizer.encode(ODD)
    assert ids.to_list() == [tokenizer.encode([text]).to_list()[0] for text in ODD]
    assert decoded(tokenizer, ODD) == [decoded(tokenizer, [text])[0] for text in ODD]


def test_an_empty_batch_stays_empty(tokenizer):
    ids = tokenizer.encode([])
    assert ids.to_list() == []
    assert tokenizer.decode(ids.to_tensor()).shape == (0,)
    assert tokenizer.tokens(ids.to_tensor()).shape[0] == 0


def test_decoding_keeps_leading_axes(tokenizer):
    ids = tokenizer.encode(TEXTS[:2]).to_tensor()  # (2, length)
    assert tokenizer.decode(ids[0]).numpy().decode() == TEXTS[0]
    n_best = tf.stack([ids, ids, ids], axis=1)  # (2, 3, length)
    assert tokenizer.decode(n_best).numpy().tolist() == [[t.encode()] * 3 for t in TEXTS[:2]]
    assert tokenizer.decode(n_best[:, :0]).shape == (2, 0)
    assert tokenizer.decode(n_best[:, :, :0]).numpy().tolist() == [[b""] * 3] * 2


def test_decoding_reads_up_to_the_first_end(tokenizer):
    ids = tokenizer.encode(TEXTS[:1]).to_list()[0]
    framed = [0, 2, *ids, 0, 3, *ids, 3]
    assert tokenizer.decode([framed]).numpy()[0].decode() == TEXTS[0]


def test_tokens_name_each_id(tokenizer):
    ids = [[0, 1, 2, 3, 4], [-1, tokenizer.vocabulary_size, 2**31 - 1, 5, 6]]
    pieces = [[piece.decode() for piece in row] for row in tokenizer.tokens(ids).numpy()]
    vocabulary = tokenizer.vocabulary
    assert pieces == [["", "<unk>", "<s>", "</s>", vocabulary[4]], ["<unk>"] * 3 + vocabulary[5:7]]
    assert tokenizer.decode(ids).shape == (2,)


def test_a_saved_tokenizer_loads_the_same(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "new", "source")
    loaded = load_tokenizer(tmp_path / "new", "source")
    assert loaded.vocabulary == tokenizer.vocabulary
    assert loaded.config() == tokenizer.config() == json.loads(json.dumps(tokenizer.config()))
    assert loaded.encode(ODD).to_list() == tokenizer.encode(ODD).to_list()
    assert len(list((tmp_path / "new").iterdir())) == 2


def test_every_character_survives_saving(tmp_path):
    text = "\x01\\\"'\x7f\u200b\ufffe\ufeff a"
    CharacterTokenizer.train([text], size=50, lower=True).save(tmp_path, "odd")
    loaded = load_tokenizer(tmp_path, "odd")
    assert decoded(loaded, [text]) == [text]
    assert loaded.lower


def test_damaged_files_are_refused(tokenizer, tmp_path):
    tokenizer.save(tmp_path, "source")
    vocabulary = tmp_path / f"source{tokenizer.suffix}"
    vocabulary.write_bytes(vocabulary.read_bytes()[:-1])
    with pytest.raises(
        ValueError, match=r"is not the vocabulary that .*source.json was saved with"
    ):
        load_tokenizer(tmp_path, "source")
    vocabulary.unlink()
    with pytest.raises(FileNotFoundError, match=f"no .*source{tokenizer.suffix}: expected a file"):
        load_tokenizer(tmp_path, "source")


@pytest.mark.parametrize("options", ["", "[]", "{}", '{"kind": "syllables", "sha256": "0"}'])
def test_options_of_no_tokenizer_are_refused(tmp_path, options):
    (tmp_path / "source.json").write_text(options)
    with pytest.raises(ValueError, match=r"is not a saved tokenizer: .* characters, words, senten"):
        load_tokenizer(tmp_path, "source")


@pytest.mark.parametrize("texts", [[], ["", " \n"]])
@pytest.mark.parametrize("tokenizer_class", CLASSES)
def test_no_text_is_refused(tokenizer_class, texts):
    with pytest.raises(ValueError, match="no text to learn a vocabulary from"):
        train(tokenizer_class, texts)


# Run where neither this project nor any file but the export can be seen.
SESSION = """
import json, sys
import tensorflow as tf
folder, kind = sys.argv[1:]
if kind == "sentencepiece":
    import tensorflow_text
with tf.compat.v1.Session(graph=tf.Graph()) as session:
    meta = tf.compat.v1.saved_model.loader.load(session, ["serve"], folder)
    signature = meta.signature_def["serving_default"]
    texts = [text.encode("latin-1") for text in json.load(sys.stdin)]
    outputs = {name: output.name for name, output in signature.outputs.items()}
    answers = session.run(outputs, {signature.inputs["texts"].name: texts})
assert "zoo" not in sys.modules
print(json.dumps({name: str(answers[name].tolist()) for name in answers}))
"""


class Export(tf.Module):
    """The least that serves a tokenizer: texts in, ids, their names and the text out."""

    def __init__(self, tokenizer):
        super().__init__()
        self.tokenizer = tokenizer

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, texts):
        ids = self.tokenizer.encode(texts).to_tensor()
        return {
            "ids": ids,
            "text": self.tokenizer.decode(ids),
            "tokens": self.tokenizer.tokens(ids),
        }


def test_an_export_stands_alone(tokenizer, tmp_path):
    module = Export(tokenizer)
    tf.saved_model.save(module, str(tmp_path / "export"), signatures=module.__call__)
    texts = [text if isinstance(text, bytes) else text.encode() for text in ODD]
    process = subprocess.run(
        [sys.executable, "-I", "-c", SESSION, str(tmp_path / "export"), tokenizer.kind],
        input=json.dumps([text.decode("latin-1") for text in texts]),
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert process.returncode == 0, process.stderr
    served = json.loads(process.stdout.splitlines()[-1])
    ours = module(tf.constant(texts))
    assert served == {name: str(ours[name].numpy().tolist()) for name in ours}
