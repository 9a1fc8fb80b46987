"""Attentions with one head in NumPy's float64: one query at a time, as the papers' equations read.

A score is `(layer, query, keys) -> (keys,)`; an alignment `(layer, queries, keys, seen) -> weights
(queries, keys)` of one sentence, where `seen` says which keys the mask allows.
"""

import numpy as np


def matrix(dense):
    return np.float64(dense.kernel)


def affine(dense, x):
    """`x W + b`, with the weights of a Keras `Dense`."""
    return x @ matrix(dense) + (np.float64(dense.bias) if dense.use_bias else 0)


def sigmoid(x):
    return (1 + np.tanh(x / 2)) / 2


def softmax(scores, seen):
    """Over the keys that are seen; zeros where none is."""
    weights = np.zeros(len(scores))
    if seen.any():
        raised = np.exp(scores[seen] - scores[seen].max())
        weights[seen] = raised / raised.sum()
    return weights


def blank(memory, mask):
    return np.where(mask[..., None], np.float64(memory), 0)


def context(align, layer, x, memory, mask):
    """`c_t = sum_s a_t(s) h_s`, and `a` (Luong et al. 2015, section 3.1)."""
    memory = blank(memory, mask)
    rows = zip(np.float64(x), memory, mask, strict=True)
    weights = np.array([align(layer, *row) for row in rows])
    return weights @ memory, weights


def distance(layer, query, keys):
    """The score of the tests' own `Distance`."""
    return -((query - keys) ** 2).mean(-1)


def dot(layer, query, keys):
    """Luong et al. 2015, eq. 8, dot: `h_t . h_s`."""
    return keys @ query


def scaled(layer, query, keys):
    """Vaswani et al. 2017, eq. 1: `q . k / sqrt(d)`."""
    return keys @ query / np.sqrt(len(query))


def general(layer, query, keys):
    """Luong et al. 2015, eq. 8, general: `h_t . (W_a h_s)`."""
    return keys @ matrix(layer.key_projection) @ query


def concat(layer, query, keys):
    """Luong et al. 2015, eq. 8, concat: `v_a . tanh(W_a [h_t; h_s])`, the two joined as written."""
    w = np.concatenate([matrix(layer.query_projection), matrix(layer.key_projection)])
    joined = np.concatenate([np.tile(query, (len(keys), 1)), keys], axis=-1)
    return np.tanh(joined @ w) @ np.float64(layer.v)


def location(layer, query, keys):
    """Luong et al. 2015, eq. 7: `softmax(W_a h_t)`."""
    return (query @ matrix(layer.query_projection))[: len(keys)]


def additive(layer, query, keys, more=0):
    """Bahdanau et al. 2015, A.1.2: `v_a . tanh(W_a s + U_a h_j)`.

    Normed: `g v_a / ||v_a||` (Salimans and Kingma 2016, eq. 2).
    """
    v = np.float64(layer.v)
    v = np.float64(layer.gain) * v / np.sqrt(v @ v) if layer.normed else v
    hidden = query @ matrix(layer.query_projection) + affine(layer.key_projection, keys)
    return np.tanh(hidden + more) @ v


def by_score(score, layer, queries, keys, seen):
    """Global attention: Luong et al. 2015, eq. 7; Bahdanau et al. 2015, eq. 6."""
    return [softmax(score(layer, query, keys), seen) for query in queries]


def local_m(score, layer, queries, keys, seen):
    """Luong et al. 2015, section 3.2, monotonic: `p_t = t`."""
    weights = []
    for t, query in enumerate(queries):
        p = min(t, max(seen.sum() - 1, 0))
        within = seen & (np.abs(np.arange(len(keys)) - p) <= layer.window)
        weights.append(softmax(score(layer.attention, query, keys), within))
    return weights


def predicted(layer, query, length):
    """Luong et al. 2015, eq. 9: `p_t = S sigmoid(v_p . tanh(W_p h_t))`."""
    return length * sigmoid(np.tanh(query @ matrix(layer.hidden)) @ matrix(layer.position)[:, 0])


def local_p(score, layer, queries, keys, seen):
    """Luong et al. 2015, section 3.2, predictive: eq. 10, `sigma = D / 2`."""
    weights, sigma = [], layer.window / 2
    for query in queries:
        apart = np.arange(len(keys)) - predicted(layer, query, seen.sum())
        within = seen & (np.abs(apart) <= layer.window)
        near = softmax(score(layer.attention, query, keys), within)
        weights.append(near * np.exp(-(apart**2) / (2 * sigma**2)))
    return weights


def energies(score, layer, queries, keys):
    """Raffel et al. 2017, eq. 8 with section 2.4's offset: `e_ij = score(s_i, h_j) + r`."""
    return [score(layer.attention, query, keys) + np.float64(layer.r) for query in queries]


def monotonic(score, layer, queries, keys, seen):
    """Raffel et al. 2017, eq. 9: `a_ij = p_ij sum_{k<=j} (a_{i-1,k} prod_{l=k}^{j-1} (1 - p_il))`.

    The sum is over where the search may have started.
    """
    previous, weights = np.eye(len(keys))[0], []
    for energy in energies(score, layer, queries, keys):
        p, alignment, passed = sigmoid(energy) * seen, np.zeros(len(keys)), np.ones(len(keys))
        for j in range(len(keys)):
            alignment[j] = p[j] * (previous[: j + 1] @ passed[: j + 1])
            passed[: j + 1] *= 1 - p[j]
        weights.append(alignment)
        previous = alignment
    return weights


def hard(score, layer, queries, keys, seen):
    """Raffel et al. 2017, algorithm 1: a search that stops, or runs past the end for good."""
    at, weights = 0, []
    for energy in energies(score, layer, queries, keys):
        while at < len(keys) and not (seen[at] and energy[at] >= 0):
            at += 1
        weights.append(np.eye(len(keys) + 1)[at, :-1])
    return weights


def chunkwise(own, score, layer, queries, keys, seen):
    """Chiu and Raffel 2018, eq. 12 to 16: an alignment's weight, shared over its chunk."""
    weights = []
    choose = hard if layer.monotonic.mode == "hard" else monotonic
    alignments = choose(score, layer.monotonic, queries, keys, seen)
    for query, alignment in zip(queries, alignments, strict=True):
        scores, shared = own(layer.attention, query, keys), np.zeros(len(keys))
        for k in range(len(keys)):
            first = max(k - layer.chunk + 1, 0)
            chunk = slice(first, k + 1)
            shared[chunk] += alignment[k] * softmax(scores[chunk], seen[chunk])
        weights.append(shared)
    return weights


def coverage(layer, queries, keys, seen):
    """Tu et al. 2016, section 3.1.1, with its score of 3.1.

    `C_ij = C_{i-1,j} + a_ij / Phi_j`, `Phi_j = N sigmoid(U_f h_j)`.
    """
    fertility = layer.max_fertility * sigmoid(affine(layer.fertility, keys)[:, 0])
    fertility = np.maximum(fertility, layer.max_fertility / 100)
    covered, weights = np.zeros(len(keys)), []
    for query in queries:
        more = covered[:, None] * np.float64(layer.coverage)
        weights.append(softmax(additive(layer, query, keys, more), seen))
        covered = covered + weights[-1] / fertility
    return weights
