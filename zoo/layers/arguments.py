"""What layers check of their arguments: each names the first that is wrong in a `ValueError`."""

import math
import numbers
import textwrap


def check_whole(layer, least=1, most=math.inf, optional=False, **arguments):
    """Whole numbers from `least` to `most`; or None, with `optional`."""
    bound = f"{least} or more" if most == math.inf else f"from {least} to {most}"
    for name, value in arguments.items():
        if optional and value is None:
            continue
        if not _is_a(numbers.Integral, value):
            refuse(layer, name, "a whole number", value)
        if not least <= value <= most:
            refuse(layer, name, bound, value)


def check_number(layer, least=-math.inf, above=-math.inf, **arguments):
    """Finite numbers, `least` or more and above `above`."""
    bound = f"above {above}" if above > -math.inf else f"{least} or more"
    for name, value in arguments.items():
        if not (_is_a(numbers.Real, value) and -math.inf < value < math.inf):
            refuse(layer, name, "a number", value)
        if value < least or value <= above:
            refuse(layer, name, bound, value)


def check_rate(layer, optional=False, **arguments):
    """Shares of what may be dropped; or None, with `optional`."""
    for name, value in arguments.items():
        if optional and value is None:
            continue
        check_number(layer, **{name: value})
        if not 0 <= value < 1:
            refuse(layer, name, "from 0 to below 1", value)


def check_flag(layer, **arguments):
    """True or False."""
    for name, value in arguments.items():
        if not isinstance(value, bool):
            refuse(layer, name, "True or False", value)


def check_choice(layer, choices, **arguments):
    """Names that are among `choices`."""
    for name, value in arguments.items():
        if not (isinstance(value, str) and value in choices):
            refuse(layer, name, f"one of {tuple(choices)}", value)


def check_attention(layer, attention):
    """What aligns queries with keys, or None."""
    # On its type, since the class of an attention is no attention.
    if attention is not None and not hasattr(type(attention), "align"):
        expected = "an `Attention`, such as LuongAttention(), or None"
        refuse(layer, "attention", expected, attention)


def list_of_cells(layer, cells):
    """A recurrent cell or several, told by what all of Keras's have, as a list."""
    several = list(cells) if isinstance(cells, (list, tuple)) else [cells]
    for cell in several:
        if hasattr(cell, "cells"):
            refuse(layer, "cells", "a cell or a list", cell, "; give its cells as a list")
        if isinstance(cell, type) or not (
            hasattr(cell, "state_size") and hasattr(cell, "output_size")
        ):
            refuse(layer, "cells", "a cell, such as GRUCell(8), or a list of cells", cell)
    if not several:
        refuse(layer, "cells", "one cell or more", cells)
    if len({id(cell) for cell in several}) < len(several):
        raise ValueError(f"{layer}: `cells` must each be a cell of its own, got one twice.")
    return several


def refuse(layer, name, expected, value, why=""):
    """Say on one line what came in an argument's place."""
    shown = textwrap.shorten(repr(value), 100, placeholder="...")
    raise ValueError(f"{layer}: `{name}` must be {expected}, got {shown}{why}.")


def _is_a(kind, value):
    """A number of that kind; True is none."""
    return isinstance(value, kind) and not isinstance(value, bool)
