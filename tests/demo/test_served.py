"""Which models the page offers."""

import pytest

from attention_zoo.demo.served import choices, examples, names, reason
from serving.client import RestClient, ServerError
from zoo.models.loading import SHIPPED


class Server:
    """Answers for the versions it was given: states by name."""

    def __init__(self, **states):
        self.states = states

    def status(self, model):
        if model not in self.states:
            raise ServerError("NOT_FOUND", f"Could not find any versions of model {model}")
        return [{"version": "1", "state": self.states[model], "status": {}}]


def test_models_that_are_there_are_offered():
    server = Server(a="AVAILABLE", b="END", c="AVAILABLE")
    assert choices(server, ["c", "a"]) == (["c", "a"], "")
    assert choices(server, ["a", "b", "x"]) == (["a"], "the server has no model b, x")
    assert choices(server, ["x"]) == (["x"], "the server has no model x")


def test_a_server_that_is_away_says_so():
    models, to_know = choices(RestClient(port=1), ["a"])
    assert models == ["a"]
    assert to_know.startswith("no server on 127.0.0.1:1; start one with: attention-zoo serve")


def test_reasons_are_without_codes():
    assert reason(ServerError("UNAVAILABLE", "no server")) == "no server"
    lacks = reason(ServerError("NOT_FOUND", "Latest(a)"))
    assert lacks.startswith("the server has no such model: Latest(a); name one that it serves")
    assert reason(ValueError("no text")) == "no text"


def test_names_are_those_of_the_folder(tmp_path):
    assert "tatoeba-en-fr-transformer" in names(SHIPPED)
    with pytest.raises(ValueError, match="name those that the server has by --model"):
        names(tmp_path)


def test_examples_are_in_the_models_language(tmp_path):
    assert examples(SHIPPED, "dates-luong")[0] == "2013년 2월 9일 토요일"
    assert "She is right." in examples(SHIPPED, "tatoeba-en-fr-transformer")
    assert examples(tmp_path, "dates") == []
