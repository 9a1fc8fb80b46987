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
        (b"one\ntwo\n", r"no tab \(lines: 2, the first: 1\); expected source<TAB>target"),
        (
            b"a\tb\nc\nd\te\tf\n",
            r"not the 2 tab-separated columns of line 1 \(lines: 2, the first: 2",
        ),
        (b"a\tb\n\nc\td\n", r"not the 2 tab-separated columns of line 1 \(lines: 1, the first: 2"),
        (b"a\tb\nc\t\xe9\n\xff\td\n", r"invalid UTF-8 \(lines: 2, the first: 2\)"),
        (b"a\tb\na\0\tb\n", r"a NUL character \(lines: 1, the first: 2\)"),
        (b"a\t \n\tb\nc\td\n", r"a blank source or target \(lines: 2, the first: 1\)"),
        ("a\tb\n".encode("utf-16"), r"invalid UTF-8 \(lines: 1, the first: 1\)"),
        (
            b"a\tb\n" + b"c" * 1_000_000 + b"\td\n",
            r"more than 100000 characters \(lines: 1, the first: 2\)",
        ),
    ],
)
def test_what_a_table_must_not_hold(write, content, message):
    path = write(content)
    with pytest.raises(ValueError, match=message) as error:
        read_corpus([path])
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_long_line_is_counted_in_characters(write):
    assert len(read_corpus([write("가".encode() * 99_998 + b"\tb\n")])) == 1


def test_all_faults_of_a_table_in_one_line(write):
    lines = [b"a\tb", b"c", b"\xe9\td", b"e\t\0", b"f\t ", b"g\th\ti", b"j\t\xe9", b"\tk"]
    path = write(b"\n".join(lines))
    with pytest.raises(ValueError) as error:
        read_corpus([path])
    faults = [fault.partition("; ")[0] for fault in str(error.value).split(" | ")]
    assert faults == [
        f"{path}: invalid UTF-8 (lines: 2, the first: 3)",
        f"{path}: a NUL character (lines: 1, the first: 4)",
        f"{path}: not the 2 tab-separated columns of line 1 (lines: 2, the first: 2)",
        f"{path}: a blank source or target (lines: 2, the first: 5)",
    ]


def test_all_faults_of_two_files_in_one_line(write):
    source = write(b"a\n\xff\nc\nd\n" + b"e" * 1_000_000 + b"\n", "corpus.en")
    target = write(b"a\nb\0\n\n", "corpus.fr")
    with pytest.raises(ValueError) as error:
        read_corpus([source, target])
    faults = [fault.partition("; ")[0] for fault in str(error.value).split(" | ")]
    assert faults == [
        f"{source}: invalid UTF-8 (lines: 1, the first: 2)",
        f"{source}: more than 100000 characters (lines: 1, the first: 5)",
        f"{target}: a NUL character (lines: 1, the first: 2)",
        f"{source} has 5 lines and {target} has 3: no partner (lines: 2, the first: 4)",
        f"{source} and {target}: a blank source or target (lines: 1, the first: 3)",
    ]


def test_aligned_files_of_different_length(write):
    paths = [write(b"a\nb\n", "corpus.en"), write(b"a\n", "corpus.fr")]
    with pytest.raises(
        ValueError, match=r"corpus\.en has 2 lines and .*corpus\.fr has 1: no partner"
    ):
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
