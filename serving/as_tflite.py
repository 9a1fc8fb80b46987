"""A translator as files of TensorFlow Lite (LiteRT), for a phone.

`encode.tflite` reads a source, `step.tflite` says one token more, and `model.json` names what goes
in and out of them. Who runs them splits the text, and writes the loop: all that `encode` gave goes
into `step`, and what `step` gives under the same name takes its place.

TensorFlow Lite wants every size beforehand: one source at a time, padded to the decoding's
`max_source_length`, and a state with room for `max_target_length` steps. Its own ops alone are
used, so that no interpreter needs TensorFlow's (Flex).
"""

import json
import warnings
from pathlib import Path

import tensorflow as tf

from zoo.replacing import check_absent, replacing
from zoo.text.vocabulary import END, PAD, START, UNKNOWN

NAME = "model.json"


def write_tflite(translator, folder, quantize=None):
    """Write a `zoo.Translator`'s model and tokenizers to `folder`, which must not exist.

    Args:
        quantize: "int8" or "float16", to store large matrices in; with "int8" TensorFlow Lite also
            multiplies by them in integers.

    Raises:
        FileExistsError: if it does.
        ValueError: for an ensemble, and for a model that TensorFlow Lite's own ops can't run.
    """
    folder = Path(folder)
    check_absent(folder)
    if hasattr(translator.model, "models"):
        raise ValueError("TensorFlow Lite's files hold one model, got several; export each alone")
    decoding = translator.decoding
    views = fixed(translator.model, decoding.max_source_length, decoding.max_target_length)
    weights = [variable.value for variable in translator.model.variables]
    with replacing(folder) as beside:
        beside.mkdir(parents=True)
        known = _known(translator)
        for side in known["tokenizers"]:
            getattr(translator, side).save(beside, side)
        for name, view in views.items():
            content = converted(view, weights, quantize)
            (beside / f"{name}.tflite").write_bytes(content)
            known[name] = {"file": f"{name}.tflite", **tensors(content)}
        (beside / NAME).write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


def _known(translator):
    """What the loop has to know beside the tensors."""
    sides = {"source": translator.source, "target": translator.target}
    return {
        "ids": {"pad": PAD, "unknown": UNKNOWN, "start": START, "end": END},
        "max_source_length": translator.decoding.max_source_length,
        "max_target_length": translator.decoding.max_target_length,
        "tokenizers": {
            side: [f"{side}.json", f"{side}{tokenizer.suffix}"] for side, tokenizer in sides.items()
        },
    }


def fixed(model, source_length, target_length):
    """`encode` and `step` of a translator for one source, as functions of shapes that are known.

        given = encode(source (1, source_length))
        answer = step(tokens (1,), **given)

    `given` is a flat dict of what a step reads; `answer` has the `logits (1, vocabulary)`, the
    `attention (1, source_length)` where the model has one, and what changes in `given`.
    """
    # Built here and not while a function is traced, whose graph would own their constants.
    read, step_in_room = model.encode, model.step_in_room

    def encode(source):
        encoded = read(source)
        return {**encoded, **model.start(encoded, target_length)}

    def step(tokens, **given):
        logits, state, attention = step_in_room((tokens, given))
        # TensorFlow Lite has no tensor of width 0.
        looked = {"attention": attention} if model.has_attention else {}
        return {"logits": logits, **looked, **state}

    source = tf.TensorSpec([1, source_length], tf.int32, "source")
    encoding = tf.function(encode, autograph=False).get_concrete_function(source)
    given = {
        name: tf.TensorSpec(tensor.shape, tensor.dtype, name)
        for name, tensor in encoding.structured_outputs.items()
    }
    tokens = tf.TensorSpec([1], tf.int32, "tokens")
    stepping = tf.function(step, autograph=False).get_concrete_function(tokens, **given)
    return {"encode": encoding, "step": stepping}


def converted(function, weights, quantize=None):
    """A concrete function that reads these variables, as the bytes of a `.tflite` file.

    Raises:
        ValueError: as `write_tflite`.
    """
    module = tf.Module()
    module.variables_ = weights
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    if quantize is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if quantize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    try:
        return converter.convert()
    except Exception as error:  # the converter's own class is not public
        reason = str(error).strip().partition("\n")[0].rpartition("error: ")[2]
        raise ValueError(
            f"TensorFlow Lite can't run this model ({reason}); export without it"
        ) from error


def tensors(content):
    """The `inputs` and `outputs` of a `.tflite` file, as its interpreter counts them.

    Each is a list of `name`, `shape` and `dtype`; the same tensor may be an output under two names.
    """
    with warnings.catch_warnings():
        # Its successor is in a package of its own, which to read names is not worth needing.
        warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter is deprecated")
        interpreter = tf.lite.Interpreter(model_content=content)
    runner = interpreter.get_signature_runner()
    return {
        "inputs": _in_order(interpreter.get_input_details(), runner.get_input_details()),
        "outputs": _in_order(interpreter.get_output_details(), runner.get_output_details()),
    }


def _in_order(places, named):
    """What the signature names, in the order of the places that its tensors have in the file."""
    names = {}
    for name, detail in named.items():
        names.setdefault(detail["index"], []).append(name)
    return [
        {
            "name": names[place["index"]].pop(0),
            "shape": place["shape"].tolist(),
            "dtype": place["dtype"].__name__,
        }
        for place in places
    ]
