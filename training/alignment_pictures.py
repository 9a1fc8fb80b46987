"""Pictures of the alignment of a few validation sentences, so that one sees it form."""

import importlib.util

import keras
import tensorflow as tf

from zoo.explain import Alignment, png

SENTENCES = 3
# What Matplotlib (a picture too large, a font that can't be read) and TensorBoard's writer (a full
# disk) raise. What the model raises is none of them: it is no picture's.
UNDRAWN = (OSError, RuntimeError, ValueError, tf.errors.OpError)


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
    each epoch. Decoding as in validation, it draws no random number. A picture that can't be drawn
    or written costs a line, and not the training.

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
        for i, alignment in enumerate(Alignment.rows(outputs), start=1):
            try:
                self._show(epoch, i, alignment)
            except UNDRAWN as error:
                reason = " ".join(str(error).split()) or type(error).__name__
                print(f"\nEpoch {epoch + 1} has no picture alignment/{i} in TensorBoard: {reason}")

    def _show(self, epoch, number, alignment):
        picture, _ = png([[alignment]])  # boxes may stand for signs that no font has
        image = tf.io.decode_png(picture, channels=3)
        with self._writer.as_default(step=epoch):
            name, text = f"alignment/{number}", self.texts[number - 1]
            tf.summary.image(name, image[tf.newaxis], description=text)
        self._writer.flush()

    def on_train_end(self, logs=None):
        self._writer.close()
