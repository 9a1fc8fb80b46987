"""The local server has tensorflow-text's ops, as TensorFlow Serving has them."""

import subprocess
import sys

import pytest
import tensorflow as tf

# In a process of its own: what is registered once stays so.
SERVE = """
import sys
from pathlib import Path
import numpy as np
from serving.server.loaded_graph import LoadedGraph
for version in sys.argv[1:]:
    call = LoadedGraph(Path(version)).call("serving_default")
    answer = call({"text": np.array([b"two words"], object)})
    print(answer["text"].tolist(), "tensorflow_text" in sys.modules)
"""


@pytest.mark.slow
def test_the_package_is_imported_for_the_model_that_wants_more_than_sentencepiece(tmp_path):
    tf_text = pytest.importorskip("tensorflow_text")
    sentences = tmp_path / "sentences"
    sentences.write_text("two words\n" * 20)
    spm = pytest.importorskip("sentencepiece")
    spm.SentencePieceTrainer.train(
        input=str(sentences), model_prefix=str(tmp_path / "spm"), vocab_size=12, minloglevel=2
    )
    pieces = tf_text.SentencepieceTokenizer((tmp_path / "spm.model").read_bytes())
    whitespace = tf_text.WhitespaceTokenizer()
    ways = {
        "pieces": lambda x: pieces.detokenize(pieces.tokenize(x)),
        "words": lambda x: whitespace.tokenize(x).to_tensor()[:, 1],
    }
    for name, way in ways.items():
        module = tf.Module()
        module.pieces = pieces
        module.answer = _answer(way)
        tf.saved_model.save(module, str(tmp_path / name), signatures=module.answer)
    command = [sys.executable, "-c", SERVE, *(str(tmp_path / name) for name in ways)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[b'two words'] False", "[b'words'] True"]


def _answer(way):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
    def answer(text):
        return {"text": way(text)}

    return answer
