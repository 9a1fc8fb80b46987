"""The founding claims as figures: each command trains what is missing, measures and draws.

    python -m benchmarks.claims gradient    # how far gradients reach, with attention and without
    python -m benchmarks.claims scores      # Luong's Table 4: scores, global and local
    python -m benchmarks.claims length      # BLEU by the length of the source; takes hours

Each writes a figure and its numbers into docs/claims. Trained models are kept in build/claims, and
what those of `length` translated beside the figure: the same command goes on where it was stopped,
and a second run only measures and draws.
"""

import argparse
import importlib
import os
import shlex
import sys
from pathlib import Path

from zoo.explain.heat_map import pyplot

CLAIMS = ("gradient", "scores", "length")


def main(arguments=None):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    given = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="benchmarks.claims", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="claim", required=True)
    for claim in CLAIMS:
        module = importlib.import_module(f"benchmarks.claim_{claim}")
        command = commands.add_parser(claim, help=module.__doc__.split("\n")[0])
        _shared_flags(command)
        module.flags(command)
        command.set_defaults(run=module.run)
    asked = parser.parse_args(given)
    asked.command = f"python -m benchmarks.claims {shlex.join(given)}"
    try:
        pyplot()  # or an error, before hours of training
        asked.run(asked)
    except (ImportError, OSError, ValueError) as error:
        raise SystemExit(f"{error}") from error


def _shared_flags(parser):
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, help="of each model's training (%(default)s)")
    parser.add_argument("--max-examples", type=int, help="training pairs; 0 for all (%(default)s)")
    parser.add_argument("--folder", type=Path, default=Path("build/claims"), help="of models")
    parser.add_argument("--to", type=Path, default=Path("docs/claims"), help="of the figures")
    parser.add_argument("--data-dir", help="where TFDS keeps prepared datasets")


if __name__ == "__main__":
    main()
