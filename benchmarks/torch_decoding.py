"""How a model in PyTorch decodes: greedily, or by a beam that keeps no finished hypotheses.

They take a fixed number of steps, which is less work than ours.
"""

import numpy as np
import torch
from keras import ops

START = 2
SPECIAL = 4  # ids that no translation holds


def decode(step, state, batch, beam, steps):
    """The best string of ids of each source, `(batch, steps)`, and its log-probability.

    Args:
        step: `(tokens (rows,), t, state, beams) -> logits (rows, vocabulary), state`.
        state: a list of tuples of tensors, their rows those of the hypotheses.
    """
    return (
        _greedy(step, state, batch, steps) if beam == 1 else _beam(step, state, batch, beam, steps)
    )


def _greedy(step, state, batch, steps):
    tokens, total, chosen = torch.full((batch,), START), torch.zeros(batch, 1), []
    for t in range(steps):
        logits, state = step(tokens, t, state, 1)
        gain, best = _gains(logits).max(-1, keepdim=True)
        tokens, total = best[:, 0], total + gain
        chosen.append(tokens)
    return torch.stack(chosen, 1), total[:, 0]


def _beam(step, state, batch, beam, steps):
    tokens = torch.full((batch * beam,), START)
    totals = torch.tensor([0.0] + [-1e30] * (beam - 1)).repeat(batch, 1)
    strings = torch.empty((batch * beam, 0), dtype=torch.long)
    rows = torch.arange(batch)[:, None] * beam
    for t in range(steps):
        logits, state = step(tokens, t, state, beam)
        gains = _gains(logits).view(batch, beam, -1)
        totals, places = (totals[..., None] + gains).flatten(1).topk(beam)
        size = gains.shape[-1]
        chosen, tokens = (rows + places // size).flatten(), (places % size).flatten()
        state = [tuple(part[chosen] for part in parts) for parts in state]
        strings = torch.cat([strings[chosen], tokens[:, None]], 1)
    return strings.view(batch, beam, -1)[:, 0], totals[:, 0]


def _gains(logits):
    gains = torch.log_softmax(logits, -1)
    gains[:, :SPECIAL] = -torch.inf
    return gains


def dense(layer):
    """The weights of a Keras `Dense`, for `F.linear`."""
    bias = None if layer.bias is None else tensor(layer.bias)
    return tensor(layer.kernel).T.contiguous(), bias


def tensor(array):
    return torch.from_numpy(np.array(ops.convert_to_numpy(array)))
