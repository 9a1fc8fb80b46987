"""What layers check of the tensors that they are called on, as far as shapes are known beforehand.

Each function raises a `ValueError` that names the layer, the argument, what came and what was
expected. A dimension that a graph does not know yet fits.
"""

from keras import ops
from keras.backend import is_int_dtype, standardize_dtype


def check_shapes(layer, query, value, key, value_mask):
    """Queries, values and keys of an attention, and the mask of the last two."""
    check_memory(layer, query, value, value_mask, names=("query", "value", "value_mask"))
    if key is not None:
        check_keys(layer, key, value, names=("key", "value"))


def check_keys(layer, keys, memory, width=None, names=("keys", "memory")):
    """One key, of that width if one is given, for each of the memory's elements."""
    check_sequence(layer, names[0], keys, width)
    _agree(layer, names[0], keys.shape[0], f"the batch of `{names[1]}`", memory.shape[0])
    _agree(layer, names[0], keys.shape[1], f"the length of `{names[1]}`", memory.shape[1])


def check_memory(
    layer, inputs, memory, mask=None, width=None, shared=False,
    names=("inputs", "memory", "memory_mask"),
):  # fmt: skip
    """Inputs, the memory that they look at, and its mask.

    Args:
        width: the memory's, if there is only one.
        shared: several rows of inputs may look at a row of memory, each at as many.
        names: what the layer calls the three.
    """
    check_sequence(layer, names[0], inputs)
    check_sequence(layer, names[1], memory, width)
    if shared:
        _check_shared(layer, names, inputs.shape[0], memory.shape[0])
    else:
        _agree(layer, names[1], memory.shape[0], f"the batch of `{names[0]}`", inputs.shape[0])
    check_mask(layer, mask, memory, names=(names[2], names[1]))


def check_projected(layer, inputs, projected, mask, heads, width, names):
    """Inputs, the memory that they share, as keys and values by heads, and its mask."""
    check_sequence(layer, names[0], inputs)
    check_by_heads(layer, names[1], projected, heads, width)
    _check_shared(layer, names, inputs.shape[0], projected[0].shape[0])
    check_mask(layer, mask, projected[0], names=(names[2], names[1]), axis=2)


def _check_shared(layer, names, rows, sources):
    """As many rows for each source."""
    if rows and sources and rows % sources:
        raise ValueError(
            f"{layer}: `{names[0]}` has {rows} rows, no multiple of the {sources} of `{names[1]}`."
        )


def check_mask(layer, mask, sequence, names, axis=1):
    """None, or boolean `(batch, length)`, of a sequence whose `axis` is its length."""
    if mask is None:
        return
    check_boolean(layer, names[0], mask)
    _check_rank(layer, names[0], mask, "(batch, length)")
    _agree(layer, names[0], mask.shape[0], f"the batch of `{names[1]}`", sequence.shape[0])
    _agree(layer, names[0], mask.shape[1], f"the length of `{names[1]}`", sequence.shape[axis])


def check_attention_mask(layer, mask, query, keys):
    """None, or boolean `(batch, queries, keys)`, of so many keys."""
    if mask is None:
        return
    check_boolean(layer, "attention_mask", mask)
    _check_rank(layer, "attention_mask", mask, "(batch, queries, keys)")
    _agree(layer, "attention_mask", mask.shape[0], "the batch of `query`", query.shape[0])
    _agree(layer, "attention_mask", mask.shape[1], "the length of `query`", query.shape[1])
    _agree(layer, "attention_mask", mask.shape[2], "the number of keys", keys)


def check_by_heads(layer, argument, pair, heads, width):
    """Keys and values, `(batch, heads, length, width)` each."""
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ValueError(
            f"{layer}: `{argument}` must be a pair of keys and values, got {type(pair).__name__}."
        )
    for tensor in pair:
        _check_rank(layer, argument, tensor, "(batch, heads, length, width)")
        _agree(layer, argument, tensor.shape[1], "the number of heads of keys and values", heads)
        _agree(layer, argument, tensor.shape[3], "the width of a head", width)
    keys, values = pair
    _agree(layer, argument, keys.shape[0], "the batch of its values", values.shape[0])
    _agree(layer, argument, keys.shape[2], "the length of its values", values.shape[2])


def check_cache(layer, query, cache, position, heads, width):
    """A cache by heads, its one query, and where that stands if the cache does not tell."""
    if cache is None:
        refuse(layer, "goes with a `cache`", position=position)
        return
    check_by_heads(layer, "cache", cache, heads, width)
    _agree(layer, "cache", cache[0].shape[0], "the batch of `query`", query.shape[0])
    _agree(layer, "query", query.shape[1], "its length with `cache`", 1)
    if position is None:
        return
    dtype = _dtype(layer, "position", position)
    if not is_int_dtype(dtype):
        raise ValueError(f"{layer}: `position` must be of integers, got {dtype}.")
    _check_rank(layer, "position", position, "(batch,)")
    _agree(layer, "position", position.shape[0], "the batch of `query`", query.shape[0])


def sizes(tensor):
    """The shape for a reshape to keep; -1 for a size that the graph does not know, if it is one.

    To look up sizes while the graph runs takes longer than a small step's arithmetic. What is not
    known here, -1, is nothing to compute with.
    """
    known = tuple(tensor.shape)
    if known.count(None) > 1 or 0 in known:
        return ops.shape(tensor)
    return tuple(-1 if size is None else size for size in known)


def check_states(layer, states, widths, rows, argument="initial_state"):
    """A list of `(rows, width)` each; a width that hangs on the memory is None."""
    if len(states) != len(widths):
        raise ValueError(f"{layer}: `{argument}` has {len(states)} tensors, not {len(widths)}.")
    for i, (state, width) in enumerate(zip(states, widths, strict=True)):
        name = f"{argument}[{i}]"
        _check_rank(layer, name, state, "(batch, size)")
        _agree(layer, name, state.shape[0], "the batch of `inputs`", rows)
        _agree(layer, name, state.shape[1], "the width", width)


def check_sequence(layer, argument, tensor, width=None):
    """`(batch, length, dim)`, of that width if one is given."""
    _check_rank(layer, argument, tensor, "(batch, length, dim)")
    check_width(layer, argument, tensor.shape[2], width)


def check_width(layer, argument, got, width):
    """As wide as what was learned, or as what it is compared with; None: as wide as may be."""
    _agree(layer, argument, got, "the width", width)


def check_alike(layer, argument, tensor, other, as_argument):
    """One shape for two tensors that are added, so that neither is broadcast."""
    got, expected = tuple(tensor.shape), tuple(other.shape)
    if len(got) != len(expected) or any(map(_differ, got, expected)):
        raise ValueError(
            f"{layer}: `{argument}` must be shaped as `{as_argument}`, {expected}, got {got}."
        )


def check_list(layer, argument, tensors):
    """None, or several tensors, not one."""
    if hasattr(tensors, "shape"):
        shape = tuple(tensors.shape)
        raise ValueError(f"{layer}: `{argument}` must be a list of tensors, got one of {shape}.")


def refuse(layer, reason, **arguments):
    """Tensors that there is no use for must not be given."""
    for name, tensor in arguments.items():
        if tensor is not None:
            raise ValueError(f"{layer}: `{name}` {reason}.")


def check_boolean(layer, argument, mask):
    """A mask that holds truth values and nothing else."""
    dtype = _dtype(layer, argument, mask)
    if dtype != "bool":
        raise ValueError(f"{layer}: `{argument}` must be boolean, got {dtype}.")


def _dtype(layer, argument, tensor):
    if not hasattr(tensor, "dtype"):
        kind = type(tensor).__name__
        raise ValueError(f"{layer}: `{argument}` must be a tensor or an array, got {kind}.")
    return standardize_dtype(tensor.dtype)


def _check_rank(layer, argument, tensor, form):
    """As many dimensions as `form` names."""
    shape = None if tensor is None else tuple(tensor.shape)
    if shape is None or len(shape) != len(form.strip("(),").split(", ")):
        raise ValueError(f"{layer}: `{argument}` must be {form}, got shape {shape}.")


def _agree(layer, argument, got, what, expected):
    if _differ(got, expected):
        raise ValueError(f"{layer}: `{argument}` has {got} where {what} is {expected}.")


def _differ(got, expected):
    """Whether both are known, which JAX's symbols are not, and not the same."""
    return isinstance(got, int) and isinstance(expected, int) and got != expected
