"""Figures of the founding claims: lines with bands, and dots with bars, that are read in grey."""

from dataclasses import dataclass

import numpy as np

from zoo.explain.heat_map import pyplot

# What tells one line from another without colour.
LINES = [
    {"color": "0.65", "linestyle": "-", "marker": "o"},
    {"color": "0.0", "linestyle": "-", "marker": "s"},
    {"color": "0.35", "linestyle": "--", "marker": "^"},
    {"color": "0.15", "linestyle": ":", "marker": "D"},
]


@dataclass(frozen=True)
class Panel:
    """One pair of axes; panels that stand beside each other share the vertical one.

    Attributes:
        title, x, y: what is written on it.
        series: by their names: places `(points,)` and values `(seeds, points)`.
        log: whether the values of lines stand on a logarithmic axis.
    """

    title: str
    x: str
    y: str
    series: dict
    log: bool = False


def lines(panels, path):
    """Draw each series as a line, the mean over the seeds, in a band from the least to the most.

    On a logarithmic axis it is the geometric mean.
    """
    plt = pyplot()
    figure, axes = _axes(plt, panels, 4.6, 3.9)
    for axis, panel in zip(axes, panels, strict=True):
        for (name, (places, values)), look in zip(panel.series.items(), LINES, strict=False):
            values = np.asarray(values, float)
            mean = geometric_mean(values) if panel.log else values.mean(0)
            axis.plot(places, mean, label=name, markersize=4, linewidth=1.5, **look)
            axis.fill_between(
                places, values.min(0), values.max(0), color=look["color"], alpha=0.18, linewidth=0
            )
        axis.set(title=panel.title, xlabel=panel.x)
        axis.grid(axis="y", color="0.9", linewidth=0.6)
    axes[0].set_ylabel(panels[0].y)
    if panels[0].log:
        axes[0].set_yscale("log")
    else:
        axes[0].set_ylim(bottom=0)  # last: it ends the choice of the top
    _finish(plt, figure, axes, path)


def geometric_mean(values):
    """Over the first axis."""
    return np.exp(np.log(values).mean(0))


def dots(panels, path):
    """Draw each series as a row of dots, the mean over the seeds, with bars from least to most.

    The places of all series are names, which stand on the vertical axis.
    """
    plt = pyplot()
    figure, axes = _axes(plt, panels, 3.4, 3.4)
    for axis, panel in zip(axes, panels, strict=True):
        for i, (name, (places, values)) in enumerate(panel.series.items()):
            values, look = np.asarray(values, float), LINES[i]
            rows = np.arange(len(places)) + 0.22 * (i - (len(panel.series) - 1) / 2)
            mean = values.mean(0)
            around = np.abs(np.stack([values.min(0), values.max(0)]) - mean)
            axis.errorbar(
                mean,
                rows,
                xerr=around,
                label=name,
                color=look["color"],
                marker=look["marker"],
                linestyle="none",
                markersize=6,
                elinewidth=1.2,
            )
            axis.set_yticks(range(len(places)), places)
        axis.set(title=panel.title, xlabel=panel.x)
        axis.grid(axis="x", color="0.9", linewidth=0.6)
    axes[0].set_ylabel(panels[0].y)
    axes[0].invert_yaxis()
    _finish(plt, figure, axes, path)


def _axes(plt, panels, width, height):
    """A figure of so many inches a panel, whose panels share their vertical axis."""
    size = (width * len(panels), height)
    figure, axes = plt.subplots(
        1, len(panels), figsize=size, squeeze=False, layout="constrained", sharey=True
    )
    for axis in axes[0]:
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_axisbelow(True)
    return figure, axes[0]


def _finish(plt, figure, axes, path):
    """One legend for all panels, above them."""
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    plt.close(figure)
