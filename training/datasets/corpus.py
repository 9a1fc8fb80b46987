"""One's own corpus: a tab-separated file, or two files aligned by line; plain or `.gz`.

Nothing is dropped or repaired silently. What can't be used is refused with one line that says
how many lines are wrong and which is the first.
"""

import gzip
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path


def read_corpus(paths: Sequence[Path]) -> list[tuple[str, str]]:
    """Reads (source, target) pairs in the order of the file.

    Args:
        paths: One tab-separated file, whose first two columns are source and target, or two
            files, the source's and the target's, with as many lines each.
    """
    paths = [Path(path) for path in paths]
    if len(paths) == 1:
        pairs = [(row[0], row[1]) for row in read_table(paths[0])]
    elif len(paths) == 2:
        pairs = _read_aligned(*paths)
    else:
        raise ValueError(
            "a corpus is one tab-separated file or two files aligned by line, "
            f"not {len(paths)} files"
        )
    _refuse_lines(
        " and ".join(map(str, paths)),
        "a blank source or target",
        (number for number, pair in enumerate(pairs, 1) if not all(map(str.strip, pair))),
        "remove these pairs",
    )
    return pairs


def read_table(path: Path) -> list[list[str]]:
    """Reads the rows of a tab-separated file; each must have as many columns as the first."""
    rows = [line.split("\t") for line in read_lines(path)]
    columns = len(rows[0])
    if columns < 2:
        raise ValueError(
            f"{path}: line 1 has no tab; expected source<TAB>target, or give a second file"
        )
    _refuse_lines(
        path,
        f"not the {columns} tab-separated columns of line 1",
        (number for number, row in enumerate(rows, 1) if len(row) != columns),
        "make all rows alike",
    )
    return rows


def read_lines(path: Path) -> list[str]:
    """Reads the lines of a UTF-8 file. A byte order mark and CRLF are taken off.

    Lines end at LF only: `str.splitlines` would also cut at U+2028 and its like, which occur
    inside of sentences, and so lose the alignment of two files.
    """
    lines = _read_bytes(path).removeprefix(b"\xef\xbb\xbf").removesuffix(b"\n").split(b"\n")
    _refuse_lines(
        path,
        "invalid UTF-8",
        (number for number, line in enumerate(lines, 1) if not _is_utf8(line)),
        "convert the file, for example with iconv",
    )
    _refuse_lines(
        path,
        "a NUL character",
        (number for number, line in enumerate(lines, 1) if b"\0" in line),
        "is it a text file?",
    )
    return [line.removesuffix(b"\r").decode("utf-8") for line in lines]


def _read_aligned(source: Path, target: Path) -> list[tuple[str, str]]:
    sources, targets = read_lines(source), read_lines(target)
    if len(sources) != len(targets):
        raise ValueError(
            f"{source} has {len(sources)} lines and {target} has {len(targets)}; "
            "expected a target line for each source line"
        )
    return list(zip(sources, targets, strict=True))


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


def _refuse_lines(where: object, fault: str, numbers: Iterable[int], cure: str) -> None:
    """Raises one line about all faulty lines, if there are any."""
    if numbers := list(numbers):
        raise ValueError(
            f"{where}: {fault} (lines: {len(numbers)}, the first: {numbers[0]}); {cure}"
        )
