"""One's own corpus: a tab-separated file, or two files aligned by line; plain or `.gz`.

Nothing is dropped or repaired silently. What can't be used is refused with one line that says of
each fault how many lines have it and which is the first.
"""

import gzip
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

# A longer line is no sentence: a book, or a file that lost its line ends.
LONGEST = 100_000


class Faults:
    """What is wrong with a corpus: for each fault its lines, all of them in one error."""

    def __init__(self):
        self._found = []

    def note(self, where: object, fault: str, numbers: Iterable[int], cure: str) -> None:
        """Notes the numbers of the lines that have this fault, if there are any."""
        if numbers := list(numbers):
            count = f"(lines: {len(numbers)}, the first: {numbers[0]})"
            self._found.append(f"{where}: {fault} {count}; {cure}")

    def refuse(self) -> None:
        """Raises one line about all that was noted."""
        if self._found:
            raise ValueError(" | ".join(self._found))


def read_corpus(paths: Sequence[Path]) -> list[tuple[str, str]]:
    """Reads (source, target) pairs in the order of the file.

    Args:
        paths: One tab-separated file, whose first two columns are source and target, or two
            files, the source's and the target's, with as many lines each.
    """
    paths = [Path(path) for path in paths]
    faults = Faults()
    if len(paths) == 1:
        pairs = [tuple(row[:2]) for row in _rows(paths[0], faults)]
    elif len(paths) == 2:
        pairs = _aligned(*paths, faults)
    else:
        raise ValueError(
            "a corpus is one tab-separated file or two files aligned by line, "
            f"not {len(paths)} files"
        )
    faults.note(
        " and ".join(map(str, paths)),
        "a blank source or target",
        (
            number
            for number, pair in enumerate(pairs, 1)
            if len(pair) == 2 and not all(map(str.strip, pair))
        ),
        "remove these pairs",
    )
    faults.refuse()
    return pairs


def read_table(path: Path) -> list[list[str]]:
    """Reads the rows of a tab-separated file; each must have as many columns as the first."""
    faults = Faults()
    rows = _rows(path, faults)
    faults.refuse()
    return rows


def _rows(path: Path, faults: Faults) -> list[list[str]]:
    rows = [line.split("\t") for line in _lines(path, faults)]
    columns = len(rows[0])
    if columns < 2:
        faults.note(
            path,
            "no tab",
            (number for number, row in enumerate(rows, 1) if len(row) == 1),
            "expected source<TAB>target, or give a second file",
        )
    else:
        faults.note(
            path,
            f"not the {columns} tab-separated columns of line 1",
            (number for number, row in enumerate(rows, 1) if len(row) != columns),
            "make all rows alike",
        )
    return rows


def _aligned(source: Path, target: Path, faults: Faults) -> list[tuple[str, str]]:
    sources, targets = _lines(source, faults), _lines(target, faults)
    fewer, more = sorted((len(sources), len(targets)))
    faults.note(
        f"{source} has {len(sources)} lines and {target} has {len(targets)}",
        "no partner",
        range(fewer + 1, more + 1),
        "expected a target line for each source line",
    )
    return list(zip(sources, targets, strict=False))  # what is left over is noted


def _lines(path: Path, faults: Faults) -> list[str]:
    """Reads the lines of a UTF-8 file. A byte order mark and CRLF are taken off.

    Lines end at LF only: `str.splitlines` would also cut at U+2028 and its like, which occur
    inside of sentences, and so lose the alignment of two files.
    """
    content = _read_bytes(path).removeprefix(b"\xef\xbb\xbf").removesuffix(b"\n")
    lines = [line.removesuffix(b"\r") for line in content.split(b"\n")]
    texts = [line.decode("utf-8", errors="replace") for line in lines]
    faults.note(
        path,
        "invalid UTF-8",
        (number for number, line in enumerate(lines, 1) if not _is_utf8(line)),
        "convert the file, for example with iconv",
    )
    faults.note(
        path,
        "a NUL character",
        (number for number, line in enumerate(lines, 1) if b"\0" in line),
        "is it a text file?",
    )
    faults.note(
        path,
        f"more than {LONGEST} characters",
        (number for number, text in enumerate(texts, 1) if len(text) > LONGEST),
        "cut these lines, or remove them",
    )
    return texts


def _read_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected a text file, plain or .gz")
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: a damaged .gz file ({error}); copy it again") from error
    if not content.strip():
        raise ValueError(f"{path}: the file is empty")
    return content


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
