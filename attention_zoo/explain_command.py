"""`explain`: what a model looked at and what mattered to it, in the terminal and in files."""

import json
import os
import shutil
import sys

from attention_zoo.asking_commands import add_asking, refuse_speech, served_answers
from attention_zoo.command import command, model_folder
from attention_zoo.quiet import import_tensorflow
from attention_zoo.reading import cut, is_blank, read
from zoo.explain import Alignment, check_picture, integrating, page, png, table
from zoo.explain.alignment import as_text, visible
from zoo.explain.attribution import METHODS, STEPS
from zoo.explain.explanation import Explanation
from zoo.explain.file import check_file, write_file
from zoo.explain.heat_map import in_rows

# What only a model's own folder can tell.
INSIDE = ("layer", "heads", "attribution", "steps")
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
    contents = {
        path: make(explanations)
        for name, make in FILES.items()
        for path in [getattr(parsed, name)]
        if path is not None
    }
    # Files first: who reads what is printed may stop reading.
    for path, content in contents.items():
        _write(path, content)
    for number, explanation in enumerate(explanations, start=1):
        _print(explanation, f"text {number}: " if len(explanations) > 1 else "")
    for path in contents:
        print(f"Wrote {path}.")


def _picture(explanations):
    rows = [row for explanation in explanations for row in in_rows(explanation.drawn, COLUMNS)]
    picture, undrawn = png(rows)
    if undrawn:
        signs = " ".join(undrawn)
        print(f"Warning: the picture has boxes for {signs}, which no font has.", file=sys.stderr)
    return picture


def _page(explanations):
    return page(explanations).encode()


def _numbers(explanations):
    numbers = [explanation.numbers() for explanation in explanations]
    return (json.dumps(numbers, indent=1, ensure_ascii=False) + "\n").encode()


# What is written where a flag of that name says.
FILES = {"png": _picture, "html": _page, "json": _numbers}


def _check(parsed):
    """Refuse, before anything is loaded, what can be seen to be wrong without it."""
    for name in ("model", *FILES, "layer", "heads", "server"):
        if getattr(parsed, name) == "":
            flag = "MODEL" if name == "model" else f"--{name}"
            raise ValueError(f"{flag} got '', which is nothing: give a value, or leave it out")
    paths = [path for path in (getattr(parsed, name) for name in FILES) if path is not None]
    for path in paths:
        (check_picture if path == parsed.png else check_file)(path)
    if len(set(map(os.path.abspath, paths))) < len(paths):
        raise ValueError(f"each of {', '.join(f'--{name}' for name in FILES)} wants its own file")
    for text in parsed.text:
        if is_blank(text):
            raise ValueError(f"there is nothing to translate in {text!r}; give a text")
    if parsed.steps is not None and parsed.attribution != METHODS[0]:
        raise ValueError(f"--steps is of integrated gradients; add --attribution {METHODS[0]}")
    if parsed.steps is not None:
        integrating.first(parsed.steps)
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


def _print(explanation, which):
    said = explanation.views[0]
    both = f"{visible(explanation.asked)} -> {visible(said.text)}"
    print(f"{both} (log-probability {said.score:z.4f})\n")
    for warning in explanation.warnings:
        print(f"Warning: {which}{visible(warning)}.", file=sys.stderr)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for view in explanation.views:
        print(f"{view.title}\n\n{table(view, width)}\n")


def _write(path, content):
    try:
        write_file(path, content)
    except OSError as error:
        why = f"{path!r} can't be written: {error.strerror}; name another file"
        raise ValueError(why) from error
