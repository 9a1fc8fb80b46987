"""The metrics that TensorFlow Serving has under these names, in Prometheus's text format."""

import re

import pytest
import requests

from serving.client import GrpcClient, RestClient, ServerError
from serving.server import LocalServer
from serving.server.metrics import Metrics
from serving.server_options import ServerOptions

PATH = "/monitoring/prometheus/metrics"
SAMPLE = re.compile(
    r'(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\.)*",?)*)\})?'
    r" (?P<value>\S+)"
)


def samples(text):
    """Each sample by name and labels; every line must be one, or a comment on the next ones."""
    found = {}
    for line in text.removesuffix("\n").split("\n"):
        if not re.fullmatch(r"# (HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* .+", line):
            match = SAMPLE.fullmatch(line)
            assert match, line
            found[match["name"], match["labels"] or ""] = float(match["value"])
    return found


@pytest.fixture(scope="module")
def running(saved_model):
    with LocalServer(saved_model.parents[1], rest_port=0, grpc_port=0) as server:
        yield server


def page(server, path=PATH):
    return requests.get(f"http://127.0.0.1:{server.rest_port}{path}", timeout=10)


def test_requests_are_counted_and_timed_under_the_names_of_tensorflow_serving(running):
    before = samples(page(running).text)
    rest, grpc = RestClient(port=running.rest_port), GrpcClient(port=running.grpc_port)
    for client in (rest, grpc, grpc):
        client.translate("toy", ["a"])
    with pytest.raises(ServerError):
        rest.translate("toy", ["a"], signature="none")
    answer = page(running)
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    after = samples(answer.text)

    def more(name, labels):
        key = f":tensorflow:serving:{name}", labels
        return after[key] - before.get(key, 0)

    assert more("request_count", 'model_name="toy",status="OK"') == 3
    assert more("request_count", 'model_name="toy",status="INVALID_ARGUMENT"') == 1
    by_rest = 'model_name="toy",API="predict",entrypoint="REST"'
    by_grpc = 'model_name="toy",API="Predict",entrypoint="GRPC"'
    assert more("request_latency_count", by_rest) == 1
    assert more("request_latency_count", by_grpc) == 2
    assert more("request_latency_sum", by_grpc) > 0
    assert more("request_latency_bucket", f'{by_grpc},le="+Inf"') == 2
    assert more("runtime_latency_count", 'model_name="toy",API="Predict",runtime="TF2"') == 3


def test_buckets_are_cumulative_and_tensorflow_servings():
    metrics = Metrics()
    with metrics.running("a"):
        pass
    found = samples(metrics.page(0).decode())
    buckets = {
        re.search(r'le="(.*)"', labels)[1]: value
        for (name, labels), value in found.items()
        if name == ":tensorflow:serving:runtime_latency_bucket"
    }
    assert list(buckets)[:4] == ["10", "18", "32.4", "58.32"]
    assert (len(buckets), list(buckets)[-1]) == (34, "+Inf")
    assert list(buckets.values()) == sorted(buckets.values())


def test_clients_cannot_fill_it_with_names_that_no_model_has(running):
    rest = RestClient(port=running.rest_port)
    for name in ("made-up", "made-up-too"):
        with pytest.raises(ServerError):
            rest.translate(name, ["a"])
    text = page(running).text
    assert "made-up" not in text
    assert samples(text)[":tensorflow:serving:request_count", 'model_name="",status="NOT_FOUND"']


def test_any_label_is_escaped():
    metrics = Metrics()
    metrics.answered('a"b\\c\nd', "predict", "REST", "OK", 0)
    assert r'model_name="a\"b\\c\nd",status="OK"} 1' in metrics.page(0).decode()


def test_prometheus_own_parser_takes_it(running):
    parser = pytest.importorskip("prometheus_client.parser")
    RestClient(port=running.rest_port).translate("toy", ["a"])
    families = {f.name: f for f in parser.text_string_to_metric_families(page(running).text)}
    assert families[":tensorflow:serving:request_latency"].type == "histogram"
    assert families[":tensorflow:serving:request_count"].type == "counter"
    assert families[":attention_zoo:serving:pending_requests"].type == "gauge"


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ('prometheus_config { enable: true path: "/elsewhere" }', "/elsewhere"),
        ("prometheus_config { enable: true }", PATH),
        ("prometheus_config { enable: false }", None),
        ("", None),
    ],
)
def test_monitoring_config(folder, tmp_path, config, path):
    file = tmp_path / "monitoring.config"
    file.write_text(config)
    options = ServerOptions(monitoring_config_file=file)
    with LocalServer(folder, rest_port=0, grpc_port=0, options=options) as server:
        for place in ("/elsewhere", PATH):
            assert (page(server, place).status_code == 200) is (place == path)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("nonsense {", "Cannot read MonitoringConfig from"),
        (
            'prometheus_config { enable: true path: "metrics" }',
            "starts with a slash; got 'metrics'",
        ),
    ],
)
def test_bad_monitoring_config(tmp_path, config, message):
    file = tmp_path / "monitoring.config"
    file.write_text(config)
    options = ServerOptions(monitoring_config_file=file)
    with pytest.raises(ValueError, match=message):
        LocalServer(tmp_path, options=options)
