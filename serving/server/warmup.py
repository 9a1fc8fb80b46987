"""Requests recorded at export and replayed at loading: the first client waits for no tracing."""

from pathlib import Path

import tensorflow as tf
from grpc import StatusCode
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from serving.server.status import StatusError, invalid
from serving.server.versions import LoadedVersion

REQUESTS = Path("assets.extra", "tf_serving_warmup_requests")
MAX_RECORDS = 1000


def warm_up(loaded: LoadedVersion, folder: Path) -> None:
    """Replays the version's recorded requests, if any; the first that fails raises."""
    path = folder / REQUESTS
    if not path.exists():
        return
    for count, record in enumerate(tf.data.TFRecordDataset(str(path)), start=1):
        if count > MAX_RECORDS:
            raise invalid(f"Number of warmup records exceeds the maximum ({MAX_RECORDS}) at {path}")
        _replay(loaded, PredictionLog.FromString(record.numpy()))


def _replay(loaded: LoadedVersion, log: PredictionLog) -> None:
    kind = log.WhichOneof("log_type")
    if kind != "predict_log":
        raise StatusError(
            StatusCode.UNIMPLEMENTED, f"Unsupported log_type for warmup: {kind}; use predict_log"
        )
    loaded.answer(log.predict_log.request, bounded=False)
