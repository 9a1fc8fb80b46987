"""The requests that a server answers for itself before it serves a version."""

from pathlib import Path

import tensorflow as tf

# Batch sizes, and how often the text is repeated. A server that loads a version waits for all of
# them in every signature, so there are few: large batches, and long texts, but not both.
SHAPES = ((1, 1), (8, 1), (32, 1), (1, 4), (8, 4))


def write_warmup_requests(version_folder, text, signatures):
    """Write `assets.extra/tf_serving_warmup_requests`: each signature, in each of `SHAPES`.

    Args:
        version_folder: the SavedModel.
        text: what to send as `text` and `target`.
        signatures: `tf.function`s by name. What else they take is sent as 0 or "".

    Raises:
        ImportError: without the `serving` extra, whose protocol buffers the file consists of.
    """
    path = Path(version_folder) / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, function in signatures.items():
            for size, times in SHAPES:
                batch = [" ".join([text] * times)] * size
                writer.write(_record(name, columns(function, batch)))


def columns(function, texts):
    """What a signature takes, for texts of which nothing else is asked: `{input: values}`."""
    return {spec.name: _column(spec, texts) for spec in function.input_signature}


def _column(spec, texts):
    if spec.name in ("text", "target"):
        return texts
    nothing = "" if spec.dtype == tf.string else spec.dtype.as_numpy_dtype().item()
    return [nothing] * len(texts)


def _record(signature, inputs):
    try:
        from tensorflow_serving.apis import prediction_log_pb2
    except ImportError as error:
        raise ImportError(
            "an export holds warm-up requests, which need: pip install attention-zoo[serving]"
        ) from error
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    for name, values in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
    return log.SerializeToString()
