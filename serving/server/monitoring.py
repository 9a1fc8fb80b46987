"""Where the metrics are, by TensorFlow Serving's ``--monitoring_config_file``."""

from pathlib import Path

from serving.config_messages import MonitoringConfig, read_message
from serving.server.metrics import PATH


def metrics_path(config_file: str | Path | None) -> str | None:
    """The path on the REST port; `None` for no metrics. Without a file they are where usual.

    Raises:
        ValueError: In one line, what is wrong with the file.
    """
    if not config_file:
        return PATH
    prometheus = read_message(config_file, MonitoringConfig).prometheus_config
    if not prometheus.enable:
        return None
    path = prometheus.path or PATH
    if not path.startswith("/"):
        raise ValueError(f"{config_file}: path starts with a slash; got {path!r}")
    return path
