"""The command line as its tests see it."""

from attention_zoo.cli import main


def refusal(capsys, *arguments):
    """The one line that the command has for these arguments."""
    try:
        status = main(arguments)
    except SystemExit as stop:
        status = stop.code
    printed = capsys.readouterr()
    assert status == 2
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    return printed.err
