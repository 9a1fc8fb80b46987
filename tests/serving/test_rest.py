"""REST answers and errors as TensorFlow Serving's source gives them."""

import base64
import json
import math
from types import SimpleNamespace

import pytest
import requests


@pytest.fixture(scope="module")
def rest(server):
    url = f"http://127.0.0.1:{server.rest_port}"
    return SimpleNamespace(
        get=lambda path: requests.get(url + path, timeout=10),
        post=lambda path, **body: requests.post(url + path, timeout=10, **body),
        predict=lambda **body: requests.post(
            f"{url}/v1/models/toy:predict", json=body, timeout=10
        ).json(),
    )


def test_rows_come_back_as_rows(rest):
    expected = {"predictions": [{"text": "A", "score": 0.1}, {"text": "BC", "score": 0.2}]}
    assert rest.predict(instances=["a", "bc"]) == expected
    assert rest.predict(instances=[{"text": "a"}, {"text": "bc"}]) == expected


def test_columns_come_back_as_columns(rest):
    expected = {"outputs": {"text": ["A", "BC"], "score": [0.1, 0.2]}}
    assert rest.predict(inputs=["a", "bc"]) == expected
    assert rest.predict(inputs={"text": ["a", "bc"]}) == expected


def test_single_output_loses_its_name(rest):
    assert rest.predict(instances=["a", "bc"], signature_name="size") == {"predictions": [1, 2]}
    assert rest.predict(inputs=["a", "bc"], signature_name="size") == {"outputs": [1, 2]}


def test_nested_tensors_and_bytes(rest):
    answer = rest.predict(instances=["a b"], signature_name="align")
    assert answer["predictions"] == [
        {
            "source_tokens": ["a", "b"],
            "alignment": [[0.5, 0.5], [0.5, 0.5]],
            "raw_bytes": {"b64": base64.b64encode(b"a b").decode()},
        }
    ]


def test_numbers(rest):
    inputs = {"x": [[1, 0.3], [-2, 0]], "n": [0, 0]}
    answer = rest.predict(inputs=inputs, signature_name="arithmetic")["outputs"]
    (first, second), (third, fourth) = answer["quotient"]
    assert (first, second, third) == (math.inf, math.inf, -math.inf)
    assert math.isnan(fourth)
    assert answer["positive"] == [[True, True], [False, False]]
    assert answer["count"] == [2]


def test_numbers_go_in_as_tokens(rest):
    body = b'{"signature_name": "arithmetic", "inputs": {"x": [[NaN, -Infinity]], "n": [1]}}'
    text = rest.post("/v1/models/toy:predict", data=body).text
    assert "[NaN, -Infinity]" in text


@pytest.mark.parametrize("text", ["", "X" * 10_000, "A\0B", "\0", "한국어 🙂", '"\\/\b\n\u2028'])
def test_odd_strings_come_back(rest, text):
    assert rest.predict(instances=[text])["predictions"][0]["text"] == text


def test_base64_brings_any_bytes(rest):
    odd = base64.b64encode(b"a\xff\0").decode()
    answer = rest.predict(inputs={"text": [{"b64": odd}]}, signature_name="align")["outputs"]
    assert answer["raw_bytes"] == [{"b64": odd}]
    assert answer["source_tokens"] == [["a\ufffd\0"]]
    assert rest.predict(instances=[{"b64": "YQ"}])["predictions"][0]["text"] == "A"


def test_invalid_utf8_in_the_body_reaches_the_model(rest):
    answer = rest.post("/v1/models/toy:predict", data=b'{"instances": ["a\xff"]} trailing')
    assert answer.json()["predictions"][0]["score"] == 0.2


STRING_EXPECTED = "JSON Value: 1 Type: Number is not of expected type: string"
ROW = "Failed to process element: 0 key: {} of 'instances' list. Error: INVALID_ARGUMENT: "


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "JSON Parse error: The document is empty"),
        ('{"instances": [', "JSON Parse error: "),
        ("[" * 100_000, "JSON Parse error: "),
        ("[]", "JSON Value: [] Is not object"),
        ("{}", "Missing 'inputs' or 'instances' key"),
        ({"instances": "a"}, "Expecting 'instances' to be an list/array"),
        ({"instances": []}, "No values in 'instances' array"),
        ({"instances": ["a"], "inputs": ["a"]}, "expecting only one of 'inputs' or 'instances'"),
        ({"instances": [{"txt": "a"}]}, ROW.format("txt") + "JSON object: does not have named"),
        ({"instances": [{}]}, "keys must be equal to: text"),
        ({"instances": ["a", {"text": "a"}]}, "Expecting value/list but got object at item 1"),
        ({"instances": [1]}, ROW.format("text") + STRING_EXPECTED),
        ({"inputs": {"text": [1]}}, STRING_EXPECTED),
        ({"inputs": {"txt": ["a"]}}, "Missing named input: text in 'inputs' object."),
        ({"inputs": {"text": [["a"], ["b", "c"]]}}, "list at unexpected size: 2 at level: 1"),
        ({"inputs": {"text": ["a", ["b"]]}}, "Encountered list at unexpected level: 1"),
        ({"inputs": {"text": [["a"], "b"]}}, 'JSON Value: "b" found at incorrect level: 2'),
        ({"inputs": {"text": "a"}}, "input text has shape [], expected (None,)"),
        ('{"inputs": ' + "[" * 500 + "]" * 500 + "}", "lists nested 500 deep"),
        ({"instances": [{"b64": "?"}]}, "Unable to base64 decode"),
        ({"instances": ["\ud800"]}, "holds half of a surrogate pair"),
        ({"instances": ["a"], "signature_name": "\ud800"}, "not found in signature def"),
        ({"instances": [{"\ud800": "a"}]}, "JSON object: does not have named input: "),
        ({"instances": ["a"], "signature_name": 1}, "'signature_name' key must be a string value"),
        (
            {"instances": ["a"], "signature_name": "none"},
            'Serving signature name: "none" not found in signature def',
        ),
        (
            {"instances": ["abc"], "signature_name": "number"},
            "StringToNumberOp could not correctly convert string: abc",
        ),
        ({"instances": [1], "signature_name": "arithmetic"}, "instances is a plain list, but"),
        (
            {"inputs": {"x": [[1, 2]], "n": [1.5]}, "signature_name": "arithmetic"},
            "JSON Value: 1.5 Type: Number is not of expected type: int32",
        ),
        (
            {"inputs": {"x": [[1, 2]], "n": [2**31]}, "signature_name": "arithmetic"},
            "is not of expected type: int32",
        ),
        (
            {"inputs": {"x": [[1, 2, 3]], "n": [1]}, "signature_name": "arithmetic"},
            "input x has shape [1, 3], expected (None, 2)",
        ),
    ],
)
def test_bad_requests_are_400_and_say_why(rest, body, message):
    body = body if isinstance(body, str) else json.dumps(body)
    answer = rest.post("/v1/models/toy:predict", data=body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("/v1/models/none:predict", 404, "Servable not found for request: Latest(none)"),
        ("/v1/models/toy/versions/9:predict", 404, "not found for request: Specific(toy, 9)"),
        (f"/v1/models/toy/versions/{2**63}:predict", 400, "Failed to convert version: "),
        (f"/v1/models/toy/versions/{'9' * 5000}:predict", 400, "Failed to convert version: "),
        ("/v1/models/toy/labels/x:predict", 400, "Unrecognized servable version label: x"),
        ("/v1/models/toy", 400, "Malformed request: POST /v1/models/toy"),
        ("/v1/models/toy:predict/", 400, "Malformed request: POST /v1/models/toy:predict/"),
        ("/v2", 404, "Not found: /v2"),
    ],
)
def test_bad_addresses(rest, path, code, message):
    answer = rest.post(path, json={"instances": ["a"]})
    assert answer.status_code == code
    assert message in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "body", "message"),
    [
        ("classify", {}, "When method is classify, key 'examples' is expected and was not found"),
        ("classify", {"examples": {}}, "Expecting 'examples' value to be an list/array"),
        ("regress", {"examples": []}, "'examples' value is an empty array"),
        ("classify", {"examples": [{}]}, "No classification inputs found in SignatureDef: inputs"),
        ("regress", {"examples": [{}]}, "Expected one output Tensor."),
        (
            "classify",
            {"examples": [{}], "signature_name": "align"},
            "Expected one or two output Tensors, found 3",
        ),
        (
            "classify",
            {"examples": [{}], "signature_name": "arithmetic"},
            "Expected one input Tensor.",
        ),
        (
            "regress",
            {"examples": [{}], "signature_name": "size"},
            "No regression inputs found in SignatureDef: inputs",
        ),
        (
            "regress",
            {"examples": [{}], "signature_name": "none"},
            "No signature was found with the name: none",
        ),
        (
            "classify",
            {"examples": [{}], "signature_name": "\ud800"},
            "No signature was found with the name: ",
        ),
    ],
)
def test_what_predicts_does_not_classify_or_regress(rest, method, body, message):
    answer = rest.post(f"/v1/models/toy:{method}", json=body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]


def test_version_and_odd_spellings_of_the_path(rest):
    for path in ("/v1/models/toy/versions/1:predict", "/V1/Models/t%6Fy:predict?x=1"):
        assert rest.post(path, json={"inputs": ["a"]}).json()["outputs"]["text"] == ["A"]


def test_status(rest):
    entry = {"version": "1", "state": "AVAILABLE"}
    entry["status"] = {"error_code": "OK", "error_message": ""}
    for path in ("/v1/models/toy", "/v1/models/toy/versions/1"):
        assert rest.get(path).json() == {"model_version_status": [entry]}


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("/v1/models/none", 404, "Could not find any versions of model none"),
        ("/v1/models/toy/versions/9", 404, "Could not find version 9 of model toy"),
        ("/v1/models/none/metadata", 404, "Servable not found for request: Latest(none)"),
        ("/v1/models", 400, "Missing model name in request."),
        ("/v1/models/toy/nothing", 400, "Malformed request: GET /v1/models/toy/nothing"),
    ],
)
def test_status_and_metadata_of_what_is_not_there(rest, path, code, message):
    answer = rest.get(path)
    assert (answer.status_code, answer.json()) == (code, {"error": message})


def test_metadata(rest):
    answer = rest.get("/v1/models/toy/metadata").json()
    assert answer["model_spec"] == {"name": "toy", "signature_name": "", "version": "1"}
    signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["inputs"]["text"]["dtype"] == "DT_STRING"
    assert signature["inputs"]["text"]["tensor_shape"]["dim"] == [{"size": "-1", "name": ""}]
    assert sorted(signature["outputs"]) == ["score", "text"]
