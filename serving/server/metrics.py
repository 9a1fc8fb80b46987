"""Metrics in Prometheus's text format, under TensorFlow Serving's names.

``prometheus_client`` would add ``_total`` to a counter's name, where TensorFlow Serving has
``:tensorflow:serving:request_count``; dashboards and autoscalers ask for that.
"""

import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
PATH = "/monitoring/prometheus/metrics"
# TensorFlow Serving's: a scale of 10, a power of 1.8, 33 buckets, to about 20 minutes.
MICROSECONDS = tuple(10 * 1.8**power for power in range(33))


class Counter:
    """A number for each combination of label values."""

    def __init__(self, name: str, description: str, *labels: str) -> None:
        self._name, self._description, self._labels = name, description, labels
        self._counts: dict[tuple[str, ...], int] = {}

    def add(self, *values: str) -> None:
        self._counts[values] = self._counts.get(values, 0) + 1

    def lines(self) -> Iterator[str]:
        yield from _head(self._name, self._description, "counter")
        for values, count in self._counts.items():
            yield _line(self._name, zip(self._labels, values, strict=True), count)


class Histogram:
    """A distribution for each combination of label values, in cumulative buckets."""

    def __init__(self, name: str, description: str, *labels: str) -> None:
        self._name, self._description, self._labels = name, description, labels
        self._buckets: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}

    def observe(self, microseconds: float, *values: str) -> None:
        buckets = self._buckets.setdefault(values, [0] * (len(MICROSECONDS) + 1))
        buckets[bisect_left(MICROSECONDS, microseconds)] += 1
        self._sums[values] = self._sums.get(values, 0) + microseconds

    def lines(self) -> Iterator[str]:
        yield from _head(self._name, self._description, "histogram")
        for values, buckets in self._buckets.items():
            labels = list(zip(self._labels, values, strict=True))
            count = 0
            limits = [*(f"{limit:g}" for limit in MICROSECONDS), "+Inf"]
            for limit, size in zip(limits, buckets, strict=True):
                count += size
                yield _line(f"{self._name}_bucket", [*labels, ("le", limit)], count)
            yield _line(f"{self._name}_sum", labels, self._sums[values])
            yield _line(f"{self._name}_count", labels, count)


class Metrics:
    """What the server counts and times."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests = Counter(
            ":tensorflow:serving:request_count",
            "The total number of requests.",
            *("model_name", "status"),
        )
        self._latency = Histogram(
            ":tensorflow:serving:request_latency",
            "Distribution of wall time (in microseconds) for a request.",
            *("model_name", "API", "entrypoint"),
        )
        self._runtime = Histogram(
            ":tensorflow:serving:runtime_latency",
            "Distribution of wall time (in microseconds) for TensorFlow's runtime.",
            *("model_name", "API", "runtime"),
        )

    def answered(self, model: str, api: str, entrypoint: str, status: str, began: float) -> None:
        """Counts a request; times it, too, if it went well.

        Args:
            model: The model's name; no name that clients make up, or their names fill the memory.
            api: The method, such as ``predict``.
            entrypoint: ``REST`` or ``GRPC``.
            status: The name of its code, ``OK`` or another.
            began: What `time.perf_counter` said.
        """
        with self._lock:
            self._requests.add(model, status)
            if status == "OK":
                self._latency.observe(_microseconds_since(began), model, api, entrypoint)

    @contextmanager
    def running(self, model: str) -> Iterator[None]:
        """Times a prediction, its wait in the batching queue with it."""
        began = time.perf_counter()
        yield
        with self._lock:
            self._runtime.observe(_microseconds_since(began), model, "Predict", "TF2")

    def page(self, pending: int) -> bytes:
        """All of it, with how many requests are in the server now."""
        name = ":attention_zoo:serving:pending_requests"
        with self._lock:
            lines = [
                *(
                    line
                    for m in (self._requests, self._latency, self._runtime)
                    for line in m.lines()
                ),
                *_head(name, "Requests that the server is working on.", "gauge"),
                _line(name, [], pending),
            ]
        return "".join(f"{line}\n" for line in lines).encode()


def _head(name: str, description: str, kind: str) -> Iterator[str]:
    yield f"# HELP {name} {description}"
    yield f"# TYPE {name} {kind}"


def _line(name: str, labels, value: float) -> str:
    inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
    return f"{name}{{{inside}}} {value:.17g}" if inside else f"{name} {value}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _microseconds_since(began: float) -> float:
    return 1e6 * (time.perf_counter() - began)
