"""Which layers the tests show to be right, and against what: a plugin of pytest, and a page.

    pytest -p tests.evidence --evidence FOLDER tests/zoo/layers
    python -m tests.evidence FOLDER

The first leaves a file for each Keras backend; the second makes docs/checks.md of them. A test is
about a row of the layers' table if one of its parameters names the row, or its mark does: `shows`
says what a test shows besides running on its backend.
"""

import collections
import json
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "checks.md"
BACKENDS = ("tensorflow", "jax", "torch")
COLUMNS = ("NumPy", "other library", *BACKENDS, "float16", "export")
HEAD = """# What the tests show of each layer

<!-- Made by `make test-backends`, from the outcome of every test of a layer. -->

A row is a layer as `tests/zoo/layers/conftest.py` makes it. ✓: every test of it passed, against
equations in NumPy's float64, against another library with copied weights, on each Keras backend, in
float16, and exported to a SavedModel that ran without Keras. ✗: one failed. ?: they were not run.
–: there is none, since no other library has it, or since what it does is seen in another row: the
position schemes that act inside attention in `self-rotary` and so on.

"""


def pytest_addoption(parser):
    parser.addoption("--evidence", metavar="FOLDER", help="where to note what the tests show")


def pytest_configure(config):
    folder = config.getoption("--evidence")
    if folder and not hasattr(config, "workerinput"):  # of pytest-xdist, whose reports come here
        config.pluginmanager.register(Evidence(Path(folder)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.user_properties.append(("evidence", [rows_of(item), columns_of(item)]))
    return report


class Evidence:
    """Collects the outcomes of all tests of each row, by column."""

    def __init__(self, folder):
        self.folder = folder
        self.outcomes = collections.defaultdict(lambda: collections.defaultdict(set))

    def pytest_runtest_logreport(self, report):
        if report.when != "call" and not report.failed:
            return
        rows, columns = dict(report.user_properties)["evidence"]
        for row in rows:
            for column in columns:
                self.outcomes[row][column].add(report.outcome)

    def pytest_sessionfinish(self):
        from keras import backend

        passed = {
            row: {column: "failed" not in seen for column, seen in columns.items() if seen != SKIP}
            for row, columns in self.outcomes.items()
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{backend.backend()}.json").write_text(json.dumps(passed, indent=1))


SKIP = {"skipped"}


def table():
    from tests.zoo.layers.conftest import ATTENTIONS, OTHERS

    return [*ATTENTIONS, *OTHERS]


def parameters(item):
    return item.callspec.params if hasattr(item, "callspec") else {}


def rows_of(item):
    """The rows that a test is about."""
    mark, params = item.get_closest_marker("shows"), parameters(item)
    if mark and mark.args[1:]:
        return mark.args[1:]
    named = (params.get(name) for name in ("row", "attention", "name"))
    return [name for name in named if name in table()]


def columns_of(item):
    from keras import backend

    mark = item.get_closest_marker("shows")
    half = ("float16",) if parameters(item).get("dtype") == "float16" else ()
    return backend.backend(), *half, *(mark.args[:1] if mark else ())


def page(folder):
    """The table, in Markdown."""
    seen = collections.defaultdict(dict)
    signs = {True: "✓", False: "✗", None: "–", "not run": "?"}
    for backend in BACKENDS:
        file = folder / f"{backend}.json"
        noted = json.loads(file.read_text()) if file.exists() else {}
        for row in table():
            for column, passed in noted.get(row, {backend: "not run"}).items():
                seen[row][column] = seen[row].get(column, True) and passed
    lines = [("layer", *COLUMNS), ("---",) * (1 + len(COLUMNS))]
    lines += [(f"`{row}`", *(signs[seen[row].get(c)] for c in COLUMNS)) for row in table()]
    return HEAD + "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(Path(sys.argv[1])), encoding="utf-8")
