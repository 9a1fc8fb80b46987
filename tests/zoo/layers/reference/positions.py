"""Position schemes in NumPy's float64, each by what it changes in `softmax(q . k / sqrt(w)) v`.

Made of the layer that uses the scheme; `i` is a query's position, `j` those of the keys.
"""

import numpy as np


class Nothing:
    """Vaswani et al. 2017, eq. 1."""

    def __init__(self, layer):
        self.scheme, self.heads, self.causal = layer.positions, layer.num_heads, layer.causal

    def embed(self, x):
        return x

    def scores(self, query, keys, i, j, head):
        return keys @ query / np.sqrt(len(query))

    def values(self, values, i, j):
        return values


class Sinusoidal(Nothing):
    """Vaswani et al. 2017, section 3.5: `sin(p / 10000^(2i / d))` and the cosine beside it."""

    def embed(self, x):
        waves = np.zeros(x.shape[1:])
        for p, i in np.ndindex(x.shape[1], x.shape[2] // 2):
            angle = p / 10000 ** (2 * i / x.shape[2])
            waves[p, 2 * i : 2 * i + 2] = np.sin(angle), np.cos(angle)
        return x + waves


class Table(Nothing):
    """Gehring et al. 2017, section 3.1: `x_p + e_p`, learned or noise."""

    def embed(self, x):
        return x + np.float64(self.scheme.table)[: x.shape[1]]


class Shaw(Nothing):
    """Shaw et al. 2018, eq. 3 to 5."""

    def clip(self, i, j):
        furthest = self.scheme.max_distance
        return [max(-furthest, min(furthest, distance)) + furthest for distance in j - i]

    def scores(self, query, keys, i, j, head):
        keys = keys + np.float64(self.scheme.keys)[self.clip(i, j)]
        return super().scores(query, keys, i, j, head)

    def values(self, values, i, j):
        return values + np.float64(self.scheme.values)[self.clip(i, j)]


class T5(Nothing):
    """Raffel et al. 2020, section 2.1."""

    def scores(self, query, keys, i, j, head):
        s = self.scheme
        buckets = [t5_bucket(d, self.causal, s.num_buckets, s.max_distance) for d in j - i]
        return super().scores(query, keys, i, j, head) + np.float64(s.table)[buckets, head]


def t5_bucket(distance, causal, buckets, furthest):
    """Raffel et al. 2020's code, for one distance `j - i`."""
    later, distance = distance > 0, -distance
    first = 0
    if causal:
        distance = max(distance, 0)
    else:
        buckets //= 2
        first, distance = later * buckets, abs(distance)
    exact = buckets // 2
    if distance < exact:
        return first + distance
    far = np.log(distance / exact) / np.log(furthest / exact) * (buckets - exact)
    return first + min(exact + int(far), buckets - 1)


class Rotary(Nothing):
    """Su et al. 2021, eq. 14 to 16; positions over `linear` (Chen et al. 2023, eq. 3), the base
    times `ntk^(w / (w - 2))` (Peng et al. 2023, definition 1)."""

    def scores(self, query, keys, i, j, head):
        w, scheme = len(query), self.scheme
        base = scheme.base * (scheme.ntk ** (w / (w - 2)) if scheme.ntk > 1 else 1)
        turned = [turn(key, p / scheme.linear, base) for key, p in zip(keys, j, strict=True)]
        query = turn(query, i / scheme.linear, base)
        return super().scores(query, np.array(turned), i, j, head)


def turn(vector, position, base=10_000):
    """Su et al. 2021, eq. 14 and 15, one plane at a time: (x_i, x_{i + w/2}) is plane i."""
    turned, half = np.array(vector, "float64"), len(vector) // 2
    for i in range(half):
        angle = position * base ** (-2 * i / len(vector))
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turned[[i, i + half]] = rotation @ turned[[i, i + half]]
    return turned


class Alibi(Nothing):
    """Press et al. 2022, section 3: `- m |i - j|`, the slopes for any number of heads as in its
    code: those of the power of two below, and every other one of the power of two above."""

    def scores(self, query, keys, i, j, head):
        power = 2 ** int(np.log2(self.heads))
        slope = 2 ** (-8 * (head + 1) / power)
        if head >= power:
            slope = 2 ** (-8 * (2 * (head - power) + 1) / (2 * power))
        return super().scores(query, keys, i, j, head) - slope * np.abs(i - j)


SCHEMES = {
    "alibi": Alibi,
    "learned": Table,
    "noise": Table,
    "rotary": Rotary,
    "shaw": Shaw,
    "sinusoidal": Sinusoidal,
    "t5": T5,
}
