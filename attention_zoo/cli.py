"""`attention-zoo`: train, evaluate, export, serve, translate, explain."""

import argparse
import dataclasses
import os
import sys
from pathlib import Path

from attention_zoo.flags import add_flags, given
from serving.client import GrpcClient, RestClient, ServerError
from training.recipes import RECIPES, Recipe, recipe


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` that answers bad input with one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments=None):
    """Run the command line; the exit status is 0, or 2 with one line for bad input."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parsed = _parser().parse_args(arguments)
    try:
        return parsed.command(parsed) or 0
    except (ValueError, OSError, ImportError, ServerError) as error:
        print(f"attention-zoo {parsed.name}: {_one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _one_line(error):
    return " ".join(str(error).split()) or type(error).__name__


def _parser():
    parser = Parser(prog="attention-zoo", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for add in (_list, _train, _evaluate, _export, _serve, _translate, _explain):
        add(commands)
    return parser


def _command(commands, name, run, text, example):
    parser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=run, name=name)
    return parser


def _folder(parser):
    parser.add_argument("model", metavar="MODEL", help="name of a model, or its folder")
    _saved_models(parser)


def _saved_models(parser):
    parser.add_argument(
        "--saved-models", default="saved_models", metavar="FOLDER", help="where the models are"
    )


def _path(parsed):
    """The model's folder: the one named, or that of this name in `--saved-models`."""
    path = Path(parsed.model)
    return path if path.is_dir() else Path(parsed.saved_models) / parsed.model


def _list(commands):
    parser = _command(
        commands,
        "list",
        _run_list,
        "show presets, recipes and trained models",
        "attention-zoo list",
    )
    _saved_models(parser)


def _run_list(parsed):
    from zoo.card import NAME, read
    from zoo.models import PRESETS

    print("Presets:")
    for name, preset in PRESETS.items():
        print(f"  {name:26} {preset.paper}")
    print("\nRecipes:")
    for name, made in RECIPES.items():
        print(f"  {name:26} {made.preset} on {made.dataset or 'your own corpus'}")
    print(f"\nTrained models in {parsed.saved_models}:")
    for path in sorted(Path(parsed.saved_models).glob(f"*/{NAME}")):
        known = read(path.parent)
        scores = known.get("scores", {}).get("test", known.get("validation", {}))
        shown = ", ".join(f"{name} {value}" for name, value in scores.items())
        print(f"  {path.parent.name:26} {shown}; data: {known['data']}, {known['licence']}")


def _train(commands):
    parser = _command(
        commands,
        "train",
        _run_train,
        "train a recipe, or go on with a run that was interrupted",
        "attention-zoo train tatoeba-en-fr-luong --epochs 3 --overrides units=128",
    )
    parser.add_argument("recipe", metavar="RECIPE", help="see attention-zoo list")
    parser.add_argument("--run", metavar="NAME", help="of run and model; the recipe's by default")
    parser.add_argument("--runs", default="runs", metavar="FOLDER", help="where runs are kept")
    parser.add_argument("--data-dir", metavar="FOLDER", help="where TFDS keeps prepared datasets")
    parser.add_argument(
        "--checkpoint-every", type=int, default=200, metavar="STEPS", help="200 by default"
    )
    _saved_models(parser)
    add_flags(parser.add_argument_group("what differs from the recipe"), Recipe)


def _run_train(parsed):
    base = recipe(parsed.recipe)
    changed = given(parsed, Recipe)
    if "overrides" in changed:
        changed["overrides"] = {**base.overrides, **changed["overrides"]}
    made = dataclasses.replace(base, **changed)
    from training.train import train

    name = parsed.run or parsed.recipe
    try:
        train(
            made,
            name,
            runs=parsed.runs,
            saved_models=parsed.saved_models,
            data_dir=parsed.data_dir,
            checkpoint_every=parsed.checkpoint_every,
        )
    except KeyboardInterrupt:
        print("\nInterrupted; the same command goes on from the last checkpoint.")
        raise
    print(f"Saved {Path(parsed.saved_models) / name}; the run is in {Path(parsed.runs) / name}.")


def _evaluate(commands):
    parser = _command(
        commands,
        "evaluate",
        _run_evaluate,
        "measure a trained model on data it has not seen, and note it on its card",
        "attention-zoo evaluate dates",
    )
    _folder(parser)
    parser.add_argument("--split", default="test", choices=("test", "validation", "train"))
    parser.add_argument(
        "--corpus", nargs="+", default=(), metavar="FILE", help="other data than it was trained on"
    )
    parser.add_argument("--data-dir", metavar="FOLDER", help="where TFDS keeps prepared datasets")


def _run_evaluate(parsed):
    from training.evaluate import evaluate

    scores = evaluate(
        _path(parsed), split=parsed.split, corpus=parsed.corpus, data_dir=parsed.data_dir
    )
    print(f"{parsed.split}: " + ", ".join(f"{name} {value}" for name, value in scores.items()))


def _export(commands):
    parser = _command(
        commands,
        "export",
        _run_export,
        "export a trained model to a SavedModel version for TensorFlow Serving",
        "attention-zoo export dates --beam-size 4",
    )
    _folder(parser)
    parser.add_argument("--version", type=int, help="the next one by default")
    for name, kind in (
        ("beam-size", int),
        ("length-penalty", float),
        ("max-source-length", int),
        ("max-target-length", int),
    ):
        parser.add_argument(f"--{name}", type=kind, help="the card's by default")


def _run_export(parsed):
    from serving.export import export

    names = ("beam_size", "length_penalty", "max_source_length", "max_target_length")
    chosen = {name: getattr(parsed, name) for name in names if getattr(parsed, name) is not None}
    print(f"Exported {export(_path(parsed), version=parsed.version, **chosen)}.")


def _serve(commands):
    parser = _command(
        commands,
        "serve",
        _run_serve,
        "serve a folder of models: TensorFlow Serving if it is here, else the local server",
        "attention-zoo serve saved_models",
    )
    parser.add_argument("folder", nargs="?", default="saved_models", metavar="FOLDER")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--rest-port", type=int, default=8501)
    parser.add_argument("--grpc-port", type=int, default=8500)
    parser.add_argument("--model-config-file", metavar="FILE", help="TensorFlow Serving's own")
    parser.add_argument("--docker", action="store_true", help="TensorFlow Serving's image")
    parser.add_argument("--gpu", action="store_true", help="its GPU image")
    parser.add_argument("--local", action="store_true", help="the local server in any case")
    parser.add_argument(
        "--write-config", metavar="FILE", help="only write the model list of the folder, and stop"
    )


def _run_serve(parsed):
    from serving.serve import serve, write_model_config

    if parsed.write_config:
        return write_model_config(parsed.folder, parsed.write_config)
    return serve(
        parsed.folder,
        host=parsed.host,
        rest_port=parsed.rest_port,
        grpc_port=parsed.grpc_port,
        model_config_file=parsed.model_config_file,
        docker=parsed.docker,
        gpu=parsed.gpu,
        local=parsed.local,
    )


def _asking(parser):
    _folder(parser)
    parser.add_argument("text", nargs="+", metavar="TEXT")
    parser.add_argument("--server", metavar="HOST:PORT", help="ask this server, not the folder")
    parser.add_argument("--grpc", action="store_true", help="speak gRPC to it, not REST")


def _answers(parsed, signature):
    """The outputs of a signature, from a server or from the model's folder."""
    if parsed.server:
        return _client(parsed).translate(parsed.model, parsed.text, signature=signature)
    from zoo import Translator

    translator = Translator.load(_path(parsed))
    method = getattr(translator, {"serving_default": "translate"}.get(signature, signature))
    return {name: tensor.numpy() for name, tensor in method(parsed.text).items()}


def _client(parsed):
    host, colon, port = parsed.server.rpartition(":")
    if not colon or not port.isdecimal():
        raise ValueError(f"--server wants HOST:PORT, such as localhost:8501; got {parsed.server!r}")
    return (GrpcClient if parsed.grpc else RestClient)(host, int(port))


def _translate(commands):
    _asking(
        _command(
            commands,
            "translate",
            _run_translate,
            "translate texts, here or on a server",
            "attention-zoo translate dates 'Tuesday, 14 June 1904' --server localhost:8501",
        )
    )


def _run_translate(parsed):
    outputs = _answers(parsed, "serving_default")
    for text, score in zip(outputs["text"], outputs["score"], strict=True):
        print(f"{text if isinstance(text, str) else text.decode()}\t{score:.4f}")


def _explain(commands):
    parser = _command(
        commands,
        "explain",
        _run_explain,
        "show what a model looked at, as a table and as a heat map",
        "attention-zoo explain dates '2013년 2월 9일 토요일' --png alignment.png",
    )
    _asking(parser)
    parser.add_argument("--png", metavar="FILE", help="also draw it")


def _run_explain(parsed):
    from zoo.explain import Alignment, heat_map, table

    alignments = Alignment.rows(_answers(parsed, "translate_with_alignment"))
    for text, alignment in zip(parsed.text, alignments, strict=True):
        print(f"{text} -> {alignment.text} (log-probability {alignment.score:.4f})\n")
        print(table(alignment) + "\n")
    if parsed.png:
        print(f"Drew {heat_map(alignments, parsed.png)}.")
