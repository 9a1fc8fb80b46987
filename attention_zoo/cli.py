"""`attention-zoo`: prepare, train, evaluate, export, serve, translate, explain, demo."""

import argparse
import os
import sys

from attention_zoo.asking_commands import add_translate
from attention_zoo.demo_command import add_demo
from attention_zoo.explain_command import add_explain
from attention_zoo.serving_commands import add_export, add_serve
from attention_zoo.training_commands import add_evaluate, add_list, add_prepare, add_train
from serving.client import ServerError

COMMANDS = (
    add_list,
    add_prepare,
    add_train,
    add_evaluate,
    add_export,
    add_serve,
    add_translate,
    add_explain,
    add_demo,
)


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` that answers bad input with one line."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(arguments=None):
    """Run the command line; the exit status is 0, or 2 with one line for bad input."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a terminal that can't show Korean shows "?"
    parsed = _parser().parse_args(arguments)
    try:
        return parsed.command(parsed) or 0
    except BrokenPipeError:  # who read what was printed has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, ImportError, MemoryError, ServerError) as error:
        print(f"attention-zoo {parsed.name}: {_one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _one_line(error):
    lines = (line.strip() for line in str(error).splitlines())
    return " ".join(line for line in lines if line) or type(error).__name__


def _parser():
    parser = Parser(prog="attention-zoo", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for add in COMMANDS:
        add(commands)
    return parser
