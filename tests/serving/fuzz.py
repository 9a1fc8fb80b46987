"""Requests that nobody would send on purpose, drawn by chance, and a few that anybody would."""

import base64
import json
import math
from typing import NamedTuple

from hypothesis import strategies as st
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.framework.types_pb2 import DataType
from tensorflow_serving.apis.predict_pb2 import PredictRequest

ODD_TEXTS = [
    "",
    "\0",
    "a\0b",
    "\ufeff\uffff",
    "e\u0301" * 50,
    "\u202eשלום\u202c مرحبا ١٤ يونيو ١٩٠٤",
    "👩‍👩‍👧‍👦🇰🇷🙂",
    "2013년 2월 9일 토요일",
]
LONG_TEXTS = [("a", 2**20), ("👍 ", 2**18), ("4 ", 2**16)]
ODD_BYTES = [
    b"\xff\xfe",
    b"\xed\xa0\x80",  # half of a surrogate pair
    b"\xc0\x80",  # NUL in two bytes
    "2013년".encode()[:-1],
]
# What the signatures of the models under test are called, and what their inputs are.
INPUTS = {
    "": ["text"],
    "serving_default": ["text"],
    "translate_n_best": ["text"],
    "translate_with_alignment": ["text"],
    "translate_with_settings": ["text", "prefix", "length_penalty", "min_length", "max_length"],
    "sample": ["text", "seed", "temperature", "top_k", "top_p"],
    "score": ["text", "target"],
    "encode": ["text"],
    "number": ["text"],
    "size": ["text"],
    "arithmetic": ["x", "n"],
    "none": [],
}
METHODS = [
    "PredictionService/Predict",
    "PredictionService/Classify",
    "PredictionService/Regress",
    "PredictionService/GetModelMetadata",
    "ModelService/GetModelStatus",
]


class Body(NamedTuple):
    """A request over REST: its bytes, and the texts that it asks to translate, if it does."""

    body: bytes
    texts: list[bytes] | None = None


long_texts = st.sampled_from(LONG_TEXTS).map(lambda long: long[0] * long[1])
texts = st.text(max_size=40) | st.sampled_from(ODD_TEXTS) | long_texts
# A lone surrogate is no text that UTF-8 could hold, yet JSON spells it.
strings = texts | st.text(st.characters(), max_size=20) | st.sampled_from(["\ud800", "a\udfff"])
byte_strings = texts.map(str.encode) | st.binary(max_size=40) | st.sampled_from(ODD_BYTES)
integers = st.integers() | st.sampled_from([0, 1, -1, 2**31, -(2**63), 2**64, 10**400])
floats = st.floats() | st.sampled_from([math.nan, math.inf, -math.inf, 1e300, -0.0, 10**400])
scalars = st.none() | st.booleans() | integers | floats | strings
base64s = st.builds(lambda text: {"b64": text}, texts | st.just("YQ") | st.integers())
values = st.recursive(
    scalars | base64s,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["text", "x", "n", "b64"]) | strings, inner, max_size=3)
    ),
    max_leaves=12,
)
deep = st.builds(
    lambda depth, begin, end: f'{{"inputs": {begin * depth}{end * depth}}}'.encode(),
    st.integers(1, 100_000),
    st.sampled_from(["[", '{"text":', '{"a":[']),
    st.sampled_from(["]", "}", "]}", ""]),
)


def _numbers(name):
    """Values for one input of a signature, of its type."""
    if name in ("text", "target", "prefix"):
        return st.text(max_size=10) | st.sampled_from(["1904", "\0", "👍" * 100])
    if name == "x":
        return st.lists(floats, min_size=2, max_size=2)
    if name in ("temperature", "top_p", "length_penalty"):
        return floats
    return st.integers(-(2**31), 2**31 - 1) | st.integers(-1, 4)


@st.composite
def columns(draw):
    """A document that names a signature and all its inputs, most of them of the right type."""
    signature = draw(st.sampled_from(sorted(INPUTS)))
    rows = draw(st.integers(0, 3))
    inputs = {}
    for name in INPUTS[signature]:
        right = st.lists(_numbers(name), min_size=rows, max_size=rows)
        inputs[name] = draw(draw(st.sampled_from([right] * 9 + [values])))
    return {"signature_name": signature, "inputs": inputs}


@st.composite
def good_bodies(draw):
    """Texts as rows, as named rows or as columns, spelled in one of JSON's ways."""
    given = draw(st.lists(byte_strings, min_size=1, max_size=4) | many_texts)
    shown = [_json_value(text, draw(st.booleans())) for text in given]
    rows = [{"text": text} for text in shown]
    document = draw(
        st.sampled_from([{"instances": shown}, {"instances": rows}, {"inputs": {"text": shown}}])
    )
    text = json.dumps(document, ensure_ascii=draw(st.booleans()))
    return Body(text.encode(), given)


many_texts = st.builds(
    lambda text, count: [text] * count, st.binary(max_size=3), st.integers(5, 300)
)


def _json_value(text, plain):
    try:
        return text.decode() if plain else {"b64": base64.b64encode(text).decode()}
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(text).decode()}


@st.composite
def mutated(draw, whole):
    """Bytes with something cut off, taken out, put in or changed."""
    data = draw(whole)[:4096]
    begin = draw(st.integers(0, len(data)))
    end = draw(st.integers(begin, min(begin + 8, len(data))) | st.just(len(data)))
    return data[:begin] + draw(st.binary(max_size=8)) + data[end:]


def _document(value):
    return Body(json.dumps(value).encode())


good_bytes = good_bodies().map(lambda good: good.body)
column_bytes = columns().map(json.dumps).map(str.encode)
bad_bodies = st.one_of(
    values.map(_document),
    values.map(lambda value: _document({"instances": value})),
    values.map(lambda value: _document({"inputs": {"text": value}})),
    st.tuples(values, scalars).map(
        lambda v: _document({"instances": v[0], "signature_name": v[1]})
    ),
    (column_bytes | mutated(column_bytes) | mutated(good_bytes)).map(Body),
    (deep | st.binary(max_size=200)).map(Body),
)


@st.composite
def tensors(draw):
    """A `TensorProto` whose type, shape and values have little to do with each other."""
    proto = TensorProto()
    proto.dtype = draw(st.sampled_from([DataType.DT_STRING, *sorted(DataType.values())]))
    proto.tensor_shape.unknown_rank = draw(st.integers(0, 9)) == 0
    sizes = st.integers(-2, 4) | st.sampled_from([2**20, 2**31, 2**62])
    for size in draw(st.lists(sizes, max_size=4)):
        proto.tensor_shape.dim.add(size=size)
    proto.tensor_content = draw(st.just(b"") | st.binary(max_size=20))
    proto.string_val.extend(draw(st.lists(byte_strings, max_size=3)))
    proto.float_val.extend(draw(st.lists(st.floats(width=32), max_size=3)))
    proto.int_val.extend(draw(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=3)))
    proto.half_val.extend(draw(st.lists(st.integers(0, 2**31 - 1), max_size=2)))
    proto.bool_val.extend(draw(st.lists(st.booleans(), max_size=2)))
    return proto


def text_tensor(given):
    proto = TensorProto(dtype=DataType.DT_STRING, string_val=given)
    proto.tensor_shape.dim.add(size=len(given))
    return proto


@st.composite
def messages(draw, model):
    """A `PredictRequest` to a model that may exist, for a signature that may, of odd tensors."""
    signature = draw(st.sampled_from(sorted(INPUTS)))
    request = PredictRequest()
    request.model_spec.name = draw(st.just(model) | st.text(max_size=5))
    request.model_spec.signature_name = signature
    if draw(st.integers(0, 4)) == 0:
        request.model_spec.version.value = draw(st.integers(-(2**63), 2**63 - 1))
    tensor = tensors() | st.lists(byte_strings, max_size=3).map(text_tensor)
    for name in draw(st.just(INPUTS[signature]) | st.lists(st.text(max_size=4), max_size=2)):
        request.inputs[name].CopyFrom(draw(tensor))
    request.output_filter.extend(draw(st.just([]) | st.lists(st.text(max_size=5), max_size=2)))
    return request


@st.composite
def calls(draw, model):
    """A method and the bytes that it is sent: of a message, or of one that came to harm."""
    method = draw(st.sampled_from(METHODS) | st.just(METHODS[0]))
    whole = messages(model).map(PredictRequest.SerializeToString)
    return method, draw(whole | mutated(whole) | st.binary(max_size=60))


places = ["/v1/models/", "toy", "/versions/", "9" * 5000, "/labels/", ":predict", "/metadata"]
oddities = ["%00", "%ff", "%", "..", "//", "?", "\0", "٣"]
paths = st.lists(st.sampled_from(places + oddities) | st.text(max_size=4), max_size=6).map("".join)
