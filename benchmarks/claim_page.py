"""The page of numbers that stands beside a figure."""

import datetime

import numpy as np

from benchmarks.pages import machine, table


def write_page(path, title, facts, tables):
    """Write the figures as Markdown, with all that made them.

    Args:
        path: ending in `.md`; the picture beside it has the same name.
        title: the heading.
        facts: dict of what made them: command, seeds, budget.
        tables: list of lists of rows, of which the first is the heading; cells are strings.
    """
    facts = facts | {"machine": machine(), "date": str(datetime.date.today())}
    parts = [f"# {title}", f"![{title}]({path.stem}.png)"]
    parts.append("\n".join(f"- {name}: {fact}" for name, fact in facts.items()))
    parts += [table(rows) for rows in tables]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def spread(values, digits):
    """`mean (least to most)` of the seeds' values; the value alone where there is one seed."""
    mean, least, most = np.mean(values), np.min(values), np.max(values)
    if len(values) == 1:
        return f"{mean:.{digits}f}"
    return f"{mean:.{digits}f} ({least:.{digits}f} to {most:.{digits}f})"
