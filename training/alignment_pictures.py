"""Pictures of the alignment of a few validation sentences, so that one sees it form."""

import importlib.util
import warnings

import keras
import tensorflow as tf

from zoo.explain import Alignment, png

SENTENCES = 3


def alignment_pictures(translator, texts, folder):
    """The callbacks that draw alignments: one, or none where there is nothing to draw, or with.

    Args:
        translator: whose model is trained.
        texts: of the validation set, all of them.
        folder: where TensorBoard's files go; no other writer's.
    """
    if not translator.model.has_attention:
        return []
    if importlib.util.find_spec("matplotlib") is None:
        print("TensorBoard shows no alignments: they need pip install attention-zoo[plots]")
        return []
    return [AlignmentPictures(translator, evenly_spaced(texts, SENTENCES), folder)]


def evenly_spaced(texts, count):
    """So many of the texts, from short to long: the middle one of each part of them by length.

    They depend on nothing else, so that runs on the same data draw the same sentences.
    """
    ordered = sorted(set(texts), key=lambda text: (len(text), text))
    count = min(count, len(ordered))
    return [ordered[(2 * i + 1) * len(ordered) // (2 * count)] for i in range(count)]


class AlignmentPictures(keras.callbacks.Callback):
    """After each epoch draws where the model looks, for each word of its own translations.

    The images `alignment/1`, `alignment/2`, ... are those of the texts in their order, one for
    each epoch. Decoding as in validation, it draws no random number.

    Args:
        translator: whose model is trained.
        texts: what to translate.
        folder: where TensorBoard's files go; no other writer's.

    Raises:
        ImportError: without the `plots` extra.
    """

    def __init__(self, translator, texts, folder):
        super().__init__()
        self.translator = translator
        self.texts = texts
        self.folder = folder

    def on_train_begin(self, logs=None):
        self._writer = tf.summary.create_file_writer(str(self.folder))

    def on_epoch_end(self, epoch, logs=None):
        outputs = self.translator.translate_with_alignment(tf.constant(self.texts))
        with self._writer.as_default(step=epoch):
            for i, (text, drawn) in enumerate(
                zip(self.texts, Alignment.rows(outputs), strict=True), start=1
            ):
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", "Glyph")  # of signs that no font has
                    image = tf.io.decode_png(png([drawn]), channels=3)
                tf.summary.image(f"alignment/{i}", image[tf.newaxis], description=text)
        self._writer.flush()

    def on_train_end(self, logs=None):
        self._writer.close()
