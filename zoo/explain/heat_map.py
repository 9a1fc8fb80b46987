"""An alignment as a picture."""

import importlib.util
import io
import itertools
import re
import textwrap
import warnings
from pathlib import Path

from zoo.explain.alignment import labels, visible
from zoo.explain.file import check_file, write_file

# Of the text above and below a picture: an inch holds so many letters, Hangul and Han among them.
LETTERS, LINE_HEIGHT = 6.5, 0.19
# Fonts of Han and Kana, of which a system has one or another.
CJK = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Source Han Sans SC"),
    *("PingFang SC", "Hiragino Sans", "Microsoft YaHei", "Yu Gothic", "WenQuanYi Zen Hei"),
)


def check_picture(path):
    """Raise an error if no PNG can be drawn, an `ImportError`, or written there, a `ValueError`."""
    pyplot()
    if Path(path).suffix.lower() != ".png":
        raise ValueError(f"a picture is a .png; got {str(path)!r}: end its name in .png")
    check_file(path)


def heat_map(alignments, path, columns=1):
    """Draw alignments, one below the other, and write a PNG; a warning names what no font has.

    Args:
        alignments: list of `Alignment`.
        path: where to write it, ending in `.png`.
        columns: how many stand side by side before the next row begins.

    Raises:
        ImportError: without the `plots` extra.
        ValueError: for a path that is no PNG's.
    """
    check_picture(path)
    picture, undrawn = png(in_rows(alignments, columns))
    if undrawn:
        warnings.warn(f"no font that is installed has {undrawn}", stacklevel=2)
    write_file(path, picture)
    return Path(path)


def in_rows(alignments, columns):
    """Rows of so many, the last of what is left."""
    return [alignments[i : i + columns] for i in range(0, len(alignments), columns)]


def png(rows):
    """The bytes of a PNG, and a string of the characters that no font has: boxes stand for them.

    Args:
        rows: lists of `Alignment`, side by side, one below the other.

    Raises:
        ImportError: without the `plots` extra.
    """
    plt, written = pyplot(), io.BytesIO()
    # A dollar sign is text's own, and begins no formula.
    style = {"font.family": _fonts(), "font.size": 11, "text.parse_math": False}
    with plt.rc_context(style), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        figure = _figure(plt, rows)
        figure.savefig(written, format="png", dpi=130, bbox_inches="tight")
    plt.close(figure)
    return written.getvalue(), _undrawn([warning.message for warning in told])


def _undrawn(told):
    """The characters that Matplotlib warned of; its other warnings are passed on."""
    characters = set()
    for warning in told:
        if glyph := re.match(r"Glyph (\d+) ", str(warning)):
            characters.add(chr(int(glyph[1])))
        else:
            warnings.warn(warning, stacklevel=3)
    return "".join(sorted(characters))


def _figure(plt, rows):
    alignments, columns = list(itertools.chain(*rows)), max(map(len, rows))
    width = max(0.28 * max(len(alignment.source) for alignment in alignments) + 1.5, 4.5)
    around = [
        [[_wrapped(text, width) for text in (one.title, _said(one))] for one in row] for row in rows
    ]
    lines = LINE_HEIGHT * max("\n".join(texts).count("\n") for texts in itertools.chain(*around))
    heights = [0.28 * max(len(one.target) for one in row) + 1.8 + lines for row in rows]
    figure, axes = plt.subplots(
        len(rows),
        columns,
        figsize=(width * columns + 0.8, sum(heights)),
        height_ratios=heights,
        squeeze=False,
        # Compressed, a panel is no wider than the shortest source's in its column.
        layout="compressed" if len({len(one.source) for one in alignments}) == 1 else "constrained",
    )
    figure.get_layout_engine().set(w_pad=0.1)  # inches between what belongs to two panels
    for beside, row, texts in zip(axes, rows, around, strict=True):
        for axis, alignment, (title, said) in zip(beside, row, texts, strict=False):
            image = _draw(axis, alignment, title, said)
        for axis in beside[len(row) :]:
            axis.axis("off")
    scale = "share of the row: 0 white, 1 black"
    figure.colorbar(image, ax=axes, label=scale, fraction=0.03, pad=0.02, panchor="W")
    return figure


def _said(alignment):
    return f"{visible(alignment.text)}\nlog-probability {alignment.score:z.4f}"


def _wrapped(text, width):
    """Lines that are no wider than the picture."""
    letters = int(LETTERS * width)
    lines = (textwrap.fill(line, letters, break_on_hyphens=False) for line in text.splitlines())
    return "\n".join(lines)


def _draw(axis, alignment, title, said):
    image = axis.imshow(alignment.weights, cmap="Greys", vmin=0, vmax=1, aspect="equal")
    axis.xaxis.tick_top()
    axis.xaxis.set_label_position("top")
    _name_ticks(axis, labels(alignment.source), labels(alignment.target))
    axis.grid(which="minor", color="0.9", linewidth=0.6)
    axis.tick_params(which="both", length=0)
    axis.set_xlabel("source")
    axis.set_ylabel("target")
    # Not the axis's own title, for which the layout leaves no room to the right and left.
    beside = {"textcoords": "offset points", "ha": "center"}
    axis.annotate(title, (0.5, 1), (0, 4), axis.xaxis.label, **beside, va="bottom", fontsize=12)
    axis.annotate(said, (0.5, 0), (0, -6), "axes fraction", **beside, va="top")
    return image


def _name_ticks(axis, source, target):
    """A token at each column and row, and lines between them."""
    slant = {"rotation": 60, "rotation_mode": "anchor", "ha": "left", "va": "center"}
    axis.set_xticks(range(len(source)), source, **(slant if max(map(len, source)) > 1 else {}))
    axis.set_yticks(range(len(target)), target)
    axis.set_xticks([x - 0.5 for x in range(1, len(source))], minor=True)
    axis.set_yticks([y - 0.5 for y in range(1, len(target))], minor=True)


def pyplot():
    """Matplotlib's, drawing into files.

    Raises:
        ImportError: without the `plots` extra.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError("drawing needs matplotlib: pip install attention-zoo[plots]") from error
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def _fonts():
    """Matplotlib's own font, then one of Hangul and some Han and Kana, then the system's."""
    from matplotlib import font_manager

    families = ["DejaVu Sans"]
    package = importlib.util.find_spec("koreanize_matplotlib")
    if package:
        font = Path(package.origin).parent / "fonts" / "NanumGothic.ttf"
        font_manager.fontManager.addfont(font)
        families.append(font_manager.FontProperties(fname=font).get_name())
    return [*families, *(name for name in CJK if name in font_manager.get_font_names())]
