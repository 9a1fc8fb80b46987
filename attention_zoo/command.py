"""What the sub-commands share: how one is declared, and which model it means."""

import argparse
from pathlib import Path


def command(commands, name, run, text, example):
    """The parser of a new sub-command, which calls `run(parsed)`."""
    parser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=run, name=name)
    return parser


def add_model(parser):
    """The argument that names a model, and the folder where it is looked for."""
    parser.add_argument("model", metavar="MODEL", help="name of a model, or its folder")
    add_saved_models(parser)


def add_saved_models(parser):
    """The flag for the folder of the models."""
    parser.add_argument(
        "--saved-models", default="saved_models", metavar="FOLDER", help="where the models are"
    )


def model_folder(parsed, model=None):
    """The folder of a model, `parsed.model` if none is named: it itself, or in `--saved-models`."""
    path = Path(model or parsed.model)
    return path if path.is_dir() else Path(parsed.saved_models) / path
