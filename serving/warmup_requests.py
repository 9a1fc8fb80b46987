"""The requests that a server answers for itself before it serves a version."""

from pathlib import Path

import tensorflow as tf

BATCHES = (1, 8)


def write_warmup_requests(version_folder, texts, signatures):
    """Write `assets.extra/tf_serving_warmup_requests`: each signature, in batches of 1 and 8.

    Args:
        version_folder: the SavedModel.
        texts: what to send as `text` and `target`; the batches are filled from these in turn.
        signatures: `tf.function`s by name. What else they take is sent as 0 or "".

    Raises:
        ImportError: without the `serving` extra, whose protocol buffers the file consists of.
    """
    path = Path(version_folder) / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, function in signatures.items():
            for size in BATCHES:
                batch = [texts[i % len(texts)] for i in range(size)]
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
