"""From a trained model's folder to a SavedModel version that stands alone."""

import dataclasses
from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

import zoo
from serving.as_ctranslate2 import write_ctranslate2
from serving.as_tflite import write_tflite
from serving.check import check_version, read_sentences
from serving.quantize import change_in_quality, size_of, stored_as
from serving.warmup_requests import write_warmup_requests
from zoo import card
from zoo.models.folded import folded
from zoo.replacing import check_absent, replacing
from zoo.signatures import COMPILED, Signatures

# TensorFlow Serving counts versions in 64 bits with a sign.
LAST_VERSION = 2**63 - 1


def export(
    folder, *, version=None, ensemble=(), quantize=None, xla=False, ctranslate2=None, tflite=None,
    check=False, sentences=None, **decoding,
):  # fmt: skip
    """Export the model of a folder such as `saved_models/dates` to `<folder>/<version>/`.

    The version is written beside its place and renamed into it, so that a server that polls the
    folder never sees half a model. It needs neither Keras nor this package to run: it is a plain
    `tf.Module` of variables, lookup tables and functions, each weight once; a pre-norm Transformer,
    but in int8, as `zoo.models.folded` gives it, which takes less time.

    Args:
        folder: what training wrote: model, tokenizers and card.
        version: a positive integer; one more than the highest that is there when not given.
        ensemble: folders of other models, trained with the same tokenizers, to answer with it.
        quantize: "int8" or "float16", to store matrices in; see `serving.quantize`.
        xla: whether there is one more signature, `translate_compiled`, which XLA compiles: what
            `serving_default` answers, faster, on servers that allow XLA. The others need none.
        ctranslate2: a folder, to write the model to for CTranslate2 as well.
        tflite: a folder, to write the model to for TensorFlow Lite as well.
        check: check the version before it takes its place, and print what was checked; a version
            that fails is not kept. See `serving.check`.
        sentences: a file of what to check it with, a text a line, or a text, a tab and its
            translation; a few texts of our own by default.
        **decoding: fields of `zoo.Decoding` that differ from the card's.

    Returns:
        The path of the version.

    Raises:
        FileNotFoundError: where no trained model is, or no file of sentences.
        FileExistsError: if the version, or a folder for another library, exists; none is ever
            overwritten.
        ValueError: for a version or a decoding that is none, and for a check that fails.
    """
    folder = Path(folder)
    others = [Path(other) for other in (ctranslate2, tflite) if other is not None]
    for other in others:
        check_absent(other)  # now, and not after minutes of work
    if len(others) > len(set(others)):
        raise ValueError(f"each library wants a folder of its own, got {others[0]} for both")
    texts, references = read_sentences(sentences) if sentences is not None else (None, None)
    translator = zoo.Translator.load(folder, ensemble, **decoding)
    without_cudnn(translator.model)
    # In int8 a norm's gains, folded into a matrix, would cost more of its scale than they save.
    model = translator.model if quantize == "int8" else folded(translator.model)
    lean = zoo.Translator(model, *_around(translator))
    signatures, weights = _on_weights(lean, quantize, xla)
    if quantize is not None and texts is not None:
        before, after = (each["serving_default"] for each in (translator.signatures, signatures))
        print(change_in_quality(before, after, texts, references))
    example = str(translator.known.get("recipe", {}).get("example") or "a")
    place = folder / str(_version(folder, version))
    with replacing(place) as beside:
        save(beside, signatures, weights, [translator.source, translator.target])
        # A server without XLA could not warm that one up, and so would not load the version.
        anywhere = {name: each for name, each in signatures.items() if name != COMPILED}
        write_warmup_requests(beside, example, anywhere)
        decoding = dataclasses.asdict(translator.decoding)
        others = [Path(other).name for other in ensemble]
        card.write_version(
            beside, decoding=decoding, quantize=quantize, ensemble=", ".join(others) or None
        )
        if check:
            texts = texts or [example, "", "ᚠᚢᚦ", f"{example} " * 100]
            due = signatures if quantize else {**signatures, **translator.signatures}
            print(*check_version(beside, due, weights, texts), sep="\n")
        if place.exists():  # another export was faster
            raise FileExistsError(_taken(place))
        if ctranslate2 is not None:
            write_ctranslate2(translator, ctranslate2)
        if tflite is not None:
            write_tflite(translator, tflite, quantize)
    card.write_page(folder, card.read(folder))
    return place


def _version(folder, version):
    numbers = (int(path.name) for path in folder.iterdir() if path.name.isdecimal())
    existing = [number for number in numbers if number <= LAST_VERSION]
    if version is None:
        version = max(existing, default=0) + 1
    if not 1 <= version <= LAST_VERSION:
        raise ValueError(f"a version is a positive integer below 2**63, got {version}")
    if version in existing:
        raise FileExistsError(_taken(folder / str(version)))
    return version


def _taken(place):
    return f"{place} exists, and versions are never overwritten; leave --version out for the next"


def _on_weights(translator, quantize, xla):
    """The functions to export, and the variables that they read."""
    variables = translator.model.variables
    # The variables themselves, not the Keras objects that hold them: TensorFlow Serving's loader
    # finds no variable that is reached through one of those.
    weights = [variable.value for variable in variables]
    signatures, compiled = translator.signatures, translator.compiled
    if quantize is not None:
        read, stored = stored_as(quantize, variables)
        print(f"{quantize}: weights of {size_of(weights):.2f} MB in {size_of(stored):.2f} MB")
        own = Signatures(translator.model, *_around(translator), read)
        signatures, compiled, weights = own.functions(), own.compiled, stored
    return {**signatures, COMPILED: compiled()} if xla else signatures, weights


def _around(translator):
    return translator.source, translator.target, translator.decoding


def save(path, signatures, weights, tokenizers):
    """Write a SavedModel of `tf.function`s by name, their variables and their tokenizers."""
    module = tf.Module()
    module.variables_ = weights
    module.tokenizers = tokenizers
    functions = {name: function.get_concrete_function() for name, function in signatures.items()}
    tf.saved_model.save(module, str(path), signatures=functions)
    _state_shapes(Path(path))


def _state_shapes(version):
    """Spare loaders from inferring the shapes that the signatures state anyway.

    To infer them, TensorFlow's Python loader goes through all the functions that a signature calls,
    time and again: two thirds of the time that loading takes.
    """
    file = version / "saved_model.pb"
    saved = SavedModel.FromString(file.read_bytes())
    for node in saved.meta_graphs[0].graph_def.node:
        if node.op in ("PartitionedCall", "StatefulPartitionedCall"):
            node.attr["_disable_call_shape_inference"].b = True
    file.write_bytes(saved.SerializeToString())
    (version / "fingerprint.pb").unlink()  # optional, and of the file as it was


def without_cudnn(model):
    """cuDNN's ops, which recurrent layers trace to where a GPU is, do not run on a CPU server."""
    for layer in model.layers:
        ways = (getattr(layer, name, None) for name in ("forward_layer", "backward_layer"))
        for part in (layer, *ways):
            if hasattr(part, "use_cudnn"):
                part.use_cudnn = False
