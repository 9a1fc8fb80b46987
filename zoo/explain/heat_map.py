"""An alignment as a picture."""

import importlib.util
import io
import textwrap
from pathlib import Path

from zoo.explain.alignment import label

# Of the text below a picture: an inch holds so many letters, Hangul and Han among them.
LETTERS, LINE_HEIGHT = 6.5, 0.19


def check_picture(path):
    """Raise a `ValueError` if no PNG can be written there."""
    path = Path(path)
    if path.suffix.lower() != ".png" or not path.parent.is_dir() or path.is_dir():
        raise ValueError(f"a picture is a .png in a folder that exists; got {str(path)!r}")


def heat_map(alignments, path, columns=1):
    """Draw alignments, one below the other, and write a PNG.

    Args:
        alignments: list of `Alignment`.
        path: where to write it, ending in `.png`.
        columns: how many stand side by side before the next row begins.

    Raises:
        ImportError: without the `plots` extra.
        ValueError: for a path that is no PNG's.
    """
    check_picture(path)
    Path(path).write_bytes(png(alignments, columns))
    return Path(path)


def png(alignments, columns=1):
    """The bytes of the PNG that `heat_map` writes; the arguments and errors are its own."""
    plt, written = _matplotlib(), io.BytesIO()
    grid = [alignments[i : i + columns] for i in range(0, len(alignments), columns)]
    width = max(0.28 * max(len(alignment.source) for alignment in alignments) + 1.5, 4.5)
    said = [_said(alignment, width) for alignment in alignments]
    lines = LINE_HEIGHT * max(len(text.splitlines()) for text in said)
    heights = [0.28 * len(row[0].target) + 1.8 + lines for row in grid]
    # A dollar sign is text's own, and begins no formula.
    style = {"font.family": _fonts(), "font.size": 11, "text.parse_math": False}
    with plt.rc_context(style):
        figure, axes = plt.subplots(
            len(grid),
            columns,
            figsize=(width * columns + 0.8, sum(heights)),
            height_ratios=heights,
            squeeze=False,
            layout="compressed",
        )
        for axis in axes.flat[len(alignments) :]:
            axis.axis("off")
        for axis, alignment, text in zip(axes.flat, alignments, said, strict=False):
            image = _draw(axis, alignment, text)
        label = "share of the row: 0 white, 1 black"
        figure.colorbar(image, ax=axes, label=label, fraction=0.03, pad=0.02)
        figure.savefig(written, format="png", dpi=130, bbox_inches="tight")
    plt.close(figure)
    return written.getvalue()


def _said(alignment, width):
    """The text below, in lines that are no wider than the picture."""
    said = f"{alignment.text}   (log-probability {alignment.score:.4f})"
    return textwrap.fill(said, int(LETTERS * width), break_on_hyphens=False)


def _draw(axis, alignment, said):
    image = axis.imshow(alignment.weights, cmap="Greys", vmin=0, vmax=1, aspect="equal")
    axis.set_xticks(range(len(alignment.source)), [label(token) for token in alignment.source])
    axis.set_yticks(range(len(alignment.target)), [label(token) for token in alignment.target])
    axis.xaxis.tick_top()
    axis.xaxis.set_label_position("top")
    axis.tick_params(length=0)
    if max(len(label(token)) for token in alignment.source) > 1:
        axis.tick_params(axis="x", labelrotation=60)
    axis.set_xticks([x - 0.5 for x in range(1, len(alignment.source))], minor=True)
    axis.set_yticks([y - 0.5 for y in range(1, len(alignment.target))], minor=True)
    axis.grid(which="minor", color="0.9", linewidth=0.6)
    axis.tick_params(which="minor", length=0)
    axis.set_xlabel("source")
    axis.set_ylabel("target")
    axis.set_title(alignment.title, fontsize=12)
    below = {"xycoords": "axes fraction", "xytext": (0, -6), "textcoords": "offset points"}
    axis.annotate(said, (0.5, 0), **below, ha="center", va="top")
    return image


def _matplotlib():
    try:
        import matplotlib
    except ImportError as error:
        raise ImportError("drawing needs matplotlib: pip install attention-zoo[plots]") from error
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def _fonts():
    """Matplotlib's own font, then one that has Hangul, Han and Kana, if it is installed."""
    from matplotlib import font_manager

    families = ["DejaVu Sans"]
    package = importlib.util.find_spec("koreanize_matplotlib")
    if package:
        font = Path(package.origin).parent / "fonts" / "NanumGothic.ttf"
        font_manager.fontManager.addfont(font)
        families.append(font_manager.FontProperties(fname=font).get_name())
    return families
