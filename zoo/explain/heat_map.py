"""An alignment as a picture."""

import importlib.util
import io
import textwrap
from pathlib import Path

from zoo.explain.alignment import labels, visible
from zoo.explain.file import check_file

# Of the text above and below a picture: an inch holds so many letters, Hangul and Han among them.
LETTERS, LINE_HEIGHT = 6.5, 0.19


def check_picture(path):
    """Raise a `ValueError` if no PNG can be written there."""
    if Path(path).suffix.lower() != ".png":
        raise ValueError(f"a picture is a .png; got {str(path)!r}: end its name in .png")
    check_file(path)


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
    # A dollar sign is text's own, and begins no formula.
    style = {"font.family": _fonts(), "font.size": 11, "text.parse_math": False}
    with plt.rc_context(style):
        figure = _figure(plt, alignments, columns)
        figure.savefig(written, format="png", dpi=130, bbox_inches="tight")
    plt.close(figure)
    return written.getvalue()


def _figure(plt, alignments, columns):
    grid = [alignments[i : i + columns] for i in range(0, len(alignments), columns)]
    width = max(0.28 * max(len(alignment.source) for alignment in alignments) + 1.5, 4.5)
    texts = [
        [_wrapped(text, width) for text in (alignment.title, _said(alignment))]
        for alignment in alignments
    ]
    lines = LINE_HEIGHT * max("\n".join(text).count("\n") for text in texts)
    heights = [0.28 * len(row[0].target) + 1.8 + lines for row in grid]
    figure, axes = plt.subplots(
        len(grid),
        columns,
        figsize=(width * columns + 0.8, sum(heights)),
        height_ratios=heights,
        squeeze=False,
        # Compressed, a panel is no wider than the shortest source's in its column.
        layout="compressed" if len({len(one.source) for one in alignments}) == 1 else "constrained",
    )
    figure.get_layout_engine().set(w_pad=0.1)  # inches between what belongs to two panels
    for axis in axes.flat[len(alignments) :]:
        axis.axis("off")
    for axis, alignment, around in zip(axes.flat, alignments, texts, strict=False):
        image = _draw(axis, alignment, *around)
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
