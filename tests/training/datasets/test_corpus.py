import gzip

import pytest

from training.datasets.corpus import read_corpus

PAIRS = [("One.", "Un."), ("Two.", "Deux."), ("Three.", "Trois.")]
TABLE = "".join(f"{source}\t{target}\n" for source, target in PAIRS).encode()


@pytest.fixture
def write(tmp_path):
    def write(content: bytes, name: str = "corpus.tsv"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


@pytest.mark.parametrize(
    "content",
    [
        TABLE,
        TABLE.removesuffix(b"\n"),
        TABLE.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + TABLE,
        TABLE.replace(b"\n", b"\tmore\tcolumns\n"),
    ],
    ids=["plain", "no final LF", "CRLF", "byte order mark", "more columns"],
)
@pytest.mark.parametrize("name", ["corpus.tsv", "corpus.tsv.gz"])
def test_one_table(write, content, name):
    assert read_corpus([write(content, name)]) == PAIRS


def test_two_aligned_files(write):
    source = write(b"One.\nTwo.\nThree.\n", "corpus.en")
    target = write(b"Un.\nDeux.\nTrois.", "corpus.fr.gz")
    assert read_corpus([source, target]) == PAIRS


def test_only_lf_ends_a_line(write):
    separated = "a\u2028b\x85c\x0bd\te\n".encode()
    assert read_corpus([write(separated)]) == [("a\u2028b\x85c\x0bd", "e")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\r\n \n", "the file is empty"),
        (b"one\ntwo\n", "line 1 has no tab"),
        (
            b"a\tb\nc\nd\te\tf\n",
            r"not the 2 tab-separated columns of line 1 \(lines: 2, the first: 2",
        ),
        (b"a\tb\n\nc\td\n", r"not the 2 tab-separated columns of line 1 \(lines: 1, the first: 2"),
        (b"a\tb\nc\t\xe9\n\xff\td\n", r"invalid UTF-8 \(lines: 2, the first: 2\)"),
        (b"a\tb\na\0\tb\n", r"a NUL character \(lines: 1, the first: 2\)"),
        (b"a\t \n\tb\nc\td\n", r"a blank source or target \(lines: 2, the first: 1\)"),
    ],
)
def test_what_a_table_must_not_hold(write, content, message):
    path = write(content)
    with pytest.raises(ValueError, match=message) as error:
        read_corpus([path])
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_aligned_files_of_different_length(write):
    paths = [write(b"a\nb\n", "corpus.en"), write(b"a\n", "corpus.fr")]
    with pytest.raises(ValueError, match=r"corpus\.en has 2 lines and .*corpus\.fr has 1;"):
        read_corpus(paths)


def test_aligned_files_with_a_blank_side(write):
    paths = [write(b"a\nb\n", "corpus.en"), write(b"a\n\n", "corpus.fr")]
    with pytest.raises(ValueError, match=r"blank source or target \(lines: 1, the first: 2\)"):
        read_corpus(paths)


@pytest.mark.parametrize("name", ["none.tsv", "."])
def test_no_such_file(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_corpus([tmp_path / name])


@pytest.mark.parametrize(
    "content",
    [TABLE, gzip.compress(TABLE)[:-9], b"\x1f\x8b\x08" + b"x" * 40],
    ids=["not compressed", "cut", "garbage"],
)
def test_a_damaged_gz_file(tmp_path, content):
    path = tmp_path / "corpus.tsv.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a damaged \.gz file"):
        read_corpus([path])


def test_three_files(write):
    with pytest.raises(ValueError, match="not 3 files"):
        read_corpus([write(TABLE)] * 3)
