"""Which of a decoder's attentions to look at."""


def choose(attention, layer="last", heads="mean"):
    """The attentions of the layers and heads asked for, with their titles.

    Args:
        attention: list, layer by layer, of `(batch, heads, queries, keys)`.
        layer: "last", "all" or a number from 1.
        heads: "mean", "all" or a number from 1.

    Returns:
        A list of pairs `(title, (batch, queries, keys))`, layer by layer; empty without attention.

    Raises:
        ValueError: for a layer or head that is none.
    """
    layers = range(len(attention))
    if not layers:
        for name, asked in (("layer", layer), ("heads", heads)):
            if asked not in ("last", "mean", "all"):
                raise ValueError(f"--{name} {asked}: this model has no attention; leave it out")
        return []
    asked = layers[-1:] if layer == "last" else _numbers("layer", layer, len(layers), "last")
    return [pair for i in asked for pair in _of_layer(i, attention[i], heads, len(layers) > 1)]


def _of_layer(number, weights, heads, several):
    count = weights.shape[1]
    where = f"attention, layer {number + 1}" if several else "attention"
    if heads == "mean":
        return [(f"{where}, mean of heads" if count > 1 else where, weights.mean(axis=1))]
    return [
        (f"{where}, head {head + 1}", weights[:, head])
        for head in _numbers("heads", heads, count, "mean")
    ]


def _numbers(name, asked, count, other):
    """Which of `count` are meant."""
    if asked == "all":
        return range(count)
    if str(asked).isdecimal() and 1 <= int(asked) <= count:
        return [int(asked) - 1]
    one = "layer" if name == "layer" else "head"
    has = f"1 {one}" if count == 1 else f"{one}s 1 to {count}"
    raise ValueError(f"--{name} {asked}: this model has {has}; or ask for {other} or all")
