"""The model card, as people and as programs read it."""

import json
import shlex

from zoo import card

KNOWN = {
    "paper": "Luong et al. 2015",
    "parameters": 12345,
    "data": "dates",
    "licence": "Apache-2.0",
    "recipe": {"preset": "luong-general", "tokenizer": "characters", "example": "l'an 2013년"},
    "validation": {"exact_match": 97.5},
    "scores": {"test": {"exact_match": 98.5, "examples": 200}},
    "decoding": {},
    "files": {},
}


def test_the_page_says_what_the_card_says(tmp_path):
    card.write(tmp_path, KNOWN)
    assert card.read(tmp_path) == KNOWN
    page = (tmp_path / "README.md").read_text(encoding="utf-8")
    for part in (
        f"# {tmp_path.name}",
        "luong-general, characters in and out, 12,345 parameters; Luong et al. 2015",
        "dates; licence: Apache-2.0",
        "test: exact_match 98.5, examples 200",
        "validation, in training: exact_match 97.5",
        "not exported",
    ):
        assert part in page


def test_the_request_is_one_that_a_shell_and_a_server_read(tmp_path):
    """An apostrophe in the example is the shell's quote."""
    curl, flag, body, url = shlex.split(card.facts(tmp_path, KNOWN)["Request"])
    assert (curl, flag) == ("curl", "-d")
    assert json.loads(body) == {"instances": ["l'an 2013년"]}
    assert url == f"localhost:8501/v1/models/{tmp_path.name}:predict"


def test_versions_are_those_in_the_folder(tmp_path):
    for number in ("10", "2"):
        (tmp_path / number / "assets.extra").mkdir(parents=True)
        card.write_version(tmp_path / number, decoding={"beam_size": 4, "n_best": 0, "seed": 1})
    (tmp_path / "3").mkdir()
    assert card.facts(tmp_path, KNOWN)["Versions"].splitlines() == [
        "2: beam_size 4, seed 1",
        "3: decoding not stated",
        "10: beam_size 4, seed 1",
    ]


def test_a_card_of_hardly_anything_has_a_page_too(tmp_path):
    told = card.facts(tmp_path, {"decoding": {}, "files": {}})
    assert told["What it is"] == "not stated"
    assert told["Scores"] == "not evaluated"
    assert '"..."' in told["Request"]
