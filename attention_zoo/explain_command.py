"""`explain`: what a model looked at and what mattered to it, in the terminal and in files."""

import json
import os
import sys
from pathlib import Path

from attention_zoo.asking_commands import add_asking, refuse_speech, served_answers
from attention_zoo.command import command, model_folder
from attention_zoo.quiet import import_tensorflow
from attention_zoo.reading import cut, is_blank, read
from zoo.explain import Alignment, check_picture, heat_map, page, table
from zoo.explain.alignment import as_text, visible
from zoo.explain.attribution import METHODS, STEPS
from zoo.explain.explanation import Explanation
from zoo.explain.file import check_file

# What only a model's own folder can tell.
INSIDE = ("layer", "heads", "attribution", "steps")
# What is written, and how to see beforehand that it can be.
FILES = {"png": check_picture, "html": check_file, "json": check_file}
# How many views of a text stand side by side in the picture.
COLUMNS = 4


def add_explain(commands):
    parser = command(
        commands,
        "explain",
        _run_explain,
        "show what a model looked at, and what mattered to it",
        "attention-zoo explain dates-bahdanau '2013년 2월 9일 토요일' --png alignment.png",
    )
    add_asking(parser)
    parser.add_argument("--png", metavar="FILE", help="also draw it")
    parser.add_argument("--html", metavar="FILE", help="also write a page that needs no other file")
    parser.add_argument("--json", metavar="FILE", help="also write the numbers")
    parser.add_argument(
        "--layer", metavar="N", help="of the decoder: last (by default), all, or one, from 1"
    )
    parser.add_argument("--heads", metavar="N", help="mean (by default), all, or one, from 1")
    parser.add_argument(
        "--attribution", choices=METHODS, help="beside it, what mattered to each target token"
    )
    parser.add_argument(
        "--steps",
        type=int,
        metavar="N",
        help=f"of integrated gradients, where they are needed; {STEPS} by default",
    )


def _run_explain(parsed):
    _check(parsed)
    explanations = _of_server(parsed) if parsed.server else _of_folder(parsed)
    for explanation in explanations:
        _print(explanation)
    if parsed.png is not None:
        views = [view for explanation in explanations for view in explanation.views]
        columns = min(len(explanations[0].views), COLUMNS)
        print(f"Drew {heat_map(views, parsed.png, columns)}.")
    if parsed.html is not None:
        _write(parsed.html, page(explanations))
    if parsed.json is not None:
        numbers = [explanation.numbers() for explanation in explanations]
        _write(parsed.json, json.dumps(numbers, indent=1, ensure_ascii=False) + "\n")


def _check(parsed):
    """Refuse, before anything is loaded, what can be seen to be wrong without it."""
    for name in (*FILES, "layer", "heads", "server"):
        if getattr(parsed, name) == "":
            raise ValueError(f"--{name} got '', which is nothing: give a value, or leave it out")
    for name, check in FILES.items():
        if getattr(parsed, name) is not None:
            check(getattr(parsed, name))
    for text in parsed.text:
        if is_blank(text):
            raise ValueError(f"there is nothing to translate in {text!r}; give a text")
    if parsed.steps is not None and parsed.attribution != METHODS[0]:
        raise ValueError(f"--steps is of integrated gradients; add --attribution {METHODS[0]}")
    for name in INSIDE:
        if parsed.server and getattr(parsed, name) is not None:
            raise ValueError(
                f"--{name} is not among a server's answers; leave out --server and name the folder"
            )


def _of_server(parsed):
    def alignments(texts):
        return Alignment.rows(served_answers(parsed, "translate_with_alignment", texts))

    def tokens(text):
        return alignments([text])[0].source

    texts = [os.fsencode(text) for text in parsed.text]
    found = zip(map(as_text, texts), alignments(texts), strict=True)
    return [
        Explanation(text, [one], cut=cut(text, read(text, one.source, tokens), one.source))
        for text, one in found
    ]


def _of_folder(parsed):
    refuse_speech(parsed)
    import_tensorflow()
    from zoo import Translator
    from zoo.explain.explaining import explain

    return explain(
        Translator.load(model_folder(parsed)),
        [os.fsencode(text) for text in parsed.text],
        parsed.layer or "last",
        parsed.heads or "mean",
        parsed.attribution,
        STEPS if parsed.steps is None else parsed.steps,
    )


def _print(explanation):
    said = explanation.views[0]
    both = f"{visible(explanation.asked)} -> {visible(said.text)}"
    print(f"{both} (log-probability {said.score:z.4f})\n")
    for warning in explanation.warnings:
        print(f"Warning: {visible(warning)}.", file=sys.stderr)
    for view in explanation.views:
        print(f"{view.title}\n\n{table(view)}\n")


def _write(path, text):
    Path(path).write_text(text, encoding="utf-8")
    print(f"Wrote {path}.")
