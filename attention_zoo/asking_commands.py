"""`translate`, and what other commands share with it: a model is asked, here or on a server."""

import os
import re
from pathlib import Path

from attention_zoo.command import add_model, command, model_folder
from attention_zoo.quiet import import_tensorflow
from serving.client import GrpcClient, RestClient, ServerError, Tls

# An n-best has fewer texts than were asked for where their score is this.
IMPOSSIBLE = -1e29

# A name, an IPv4 or, in brackets, an IPv6 address, and a port.
ADDRESS = re.compile(
    r"((?P<scheme>https?)://)?(?P<host>[\w-]+(\.[\w-]+)*\.?|\[[\da-f:.]+(%\w+)?\]):(?P<port>\d{1,5})/?",
    re.IGNORECASE,
)


def add_asking(parser):
    """The model, the texts, and the server that is asked in the folder's place, if any."""
    add_model(parser)
    parser.add_argument("text", nargs="+", metavar="TEXT", help="what to translate")
    add_server(parser)


def add_server(parser, default=None):
    """The server that is asked, and how to speak to it; without a default, the folder may be."""
    which = f"{default} by default" if default else "ask this server, not the folder"
    parser.add_argument(
        "--server",
        metavar="HOST:PORT",
        default=default,
        help=f"{which}; https://HOST:PORT with TLS",
    )
    parser.add_argument("--grpc", action="store_true", help="speak gRPC to it, not REST")
    for name, what in (
        ("ca", "authorities to trust, in PEM; the system's by default"),
        ("certificate", "our own, in PEM, for a server that asks for one"),
        ("key", "the certificate's"),
    ):
        parser.add_argument(f"--{name}", metavar="FILE", help=what)


def answers(parsed, signature):
    """The outputs of a signature, from a server or from the model's folder."""
    texts = [os.fsencode(text) for text in parsed.text]  # as they came, be they UTF-8 or not
    if parsed.server:
        return served_answers(parsed, signature, texts)
    refuse_speech(parsed)
    import_tensorflow()
    from zoo import Translator

    translator = Translator.load(model_folder(parsed))
    return {
        name: tensor.numpy() for name, tensor in translator.signatures[signature](texts).items()
    }


def served_answers(parsed, signature, texts):
    """The outputs of a signature for these texts, from a server."""
    model = Path(parsed.model).name
    try:
        return client(parsed).translate(model, texts, signature=signature)
    except ServerError as error:
        if error.code != "NOT_FOUND":
            raise
        raise ValueError(no_such_model(error)) from error


def no_such_model(error):
    """What a server says that lacks a model, and what to do, in a line."""
    return (
        f"the server has no such model: {error.message}; name one that it serves, or put this one "
        "into the folder that it serves"
    )


def refuse_speech(parsed):
    """Refuse flags that say how to speak to a server, where there is none."""
    for flag in ("grpc", "ca", "certificate", "key"):
        if getattr(parsed, flag):
            raise ValueError(f"--{flag} says how to speak to a server; add --server HOST:PORT")


def client(parsed):
    """The client of the server that is asked.

    Raises:
        ValueError: for what is no address, and for TLS's files without TLS.
    """
    matched = ADDRESS.fullmatch(parsed.server)
    if not matched or int(matched["port"]) >= 2**16:
        raise ValueError(
            f"--server wants HOST:PORT, such as localhost:8501 or [::1]:8501; got {parsed.server!r}"
        )
    host, port = matched["host"], matched["port"]
    files = {name: getattr(parsed, name) for name in ("ca", "certificate", "key")}
    tls = Tls(**files) if (matched["scheme"] or "").lower() == "https" else None
    if any(files.values()) and not tls:
        raise ValueError(f"--ca, --certificate and --key are TLS's: ask https://{host}:{port}")
    if parsed.grpc:
        import_tensorflow()
    return (GrpcClient if parsed.grpc else RestClient)(host, int(port), tls=tls)


def add_translate(commands):
    parser = command(
        commands,
        "translate",
        _run_translate,
        "translate texts, here or on a server",
        "attention-zoo translate dates-bahdanau 'Tuesday, 14 June 1904' --server localhost:8501",
    )
    add_asking(parser)
    parser.add_argument(
        "--n-best", action="store_true", help="all that the decoding finds, a blank line after each"
    )


def _run_translate(parsed):
    if parsed.n_best:
        for texts, scores in zip(*_scored(parsed, "translate_n_best"), strict=True):
            _print(texts, scores)
            print()
    else:
        _print(*_scored(parsed, "serving_default"))


def _scored(parsed, signature):
    """Texts and their scores, which a server's model need not have."""
    outputs = answers(parsed, signature)
    if not {"text", "score"} <= outputs.keys():
        raise ValueError(
            f"{parsed.model} does not translate: its {signature} gives {', '.join(outputs)}; "
            "expected text and score"
        )
    return outputs["text"], outputs["score"]


def _print(text, score):
    for one, points in zip(text, score, strict=True):
        if points > IMPOSSIBLE:
            print(f"{one if isinstance(one, str) else one.decode()}\t{points:.4f}")
