"""The requests that a server answers for itself before it serves a version."""

from pathlib import Path

import tensorflow as tf

BATCHES = (1, 8)


def write_warmup_requests(version_folder, texts, signatures):
    """Write `assets.extra/tf_serving_warmup_requests`: each signature, in batches of 1 and 8.

    Args:
        version_folder: the SavedModel.
        texts: what to send; the batches are filled from these in turn.
        signatures: names of signatures that take `text`.

    Raises:
        ImportError: without the `serving` extra, whose protocol buffers the file consists of.
    """
    path = Path(version_folder) / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature in signatures:
            for size in BATCHES:
                batch = [texts[i % len(texts)] for i in range(size)]
                writer.write(_record(signature, batch))


def _record(signature, texts):
    try:
        from tensorflow_serving.apis import prediction_log_pb2
    except ImportError as error:
        raise ImportError(
            "an export holds warm-up requests, which need: pip install attention-zoo[serving]"
        ) from error
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    request.inputs["text"].CopyFrom(tf.make_tensor_proto(texts, dtype=tf.string))
    return log.SerializeToString()
