"""Beam search, with exact bookkeeping of finished hypotheses."""

from typing import NamedTuple

import tensorflow as tf

from zoo.decoding.hypotheses import IMPOSSIBLE, Hypotheses, free_batch, gains, rows
from zoo.text.vocabulary import END, PAD, START


class Live(NamedTuple):
    """Hypotheses that may still grow, best first; `(batch, beams)` each but for the state."""

    tokens: tf.Tensor  # the token each ends in
    log_probabilities: tf.Tensor
    state: dict  # (batch * beams, ...)


class Finished(NamedTuple):
    """The best hypotheses that reached END, best first; `(batch, beams)` each.

    A finished hypothesis is remembered by where it ended: at which step (-1 where there is none),
    and from which beam.
    """

    scores: tf.Tensor
    log_probabilities: tf.Tensor
    steps: tf.Tensor
    beams: tf.Tensor


class History(NamedTuple):
    """One entry a step: what the live beams chose, from which beam, and what each looked at."""

    tokens: tf.TensorArray  # (batch, beams), in the order after the choice
    parents: tf.TensorArray  # (batch, beams), the beam before the choice
    attention: tf.TensorArray  # (batch, beams, source length), in the order before the choice


def length_penalty(length, alpha):
    """`lp(Y) = ((5 + |Y|) / 6)^alpha` (Wu et al. 2016, eq. 14), END counted in `|Y|`."""
    return tf.pow((5.0 + tf.cast(length, tf.float32)) / 6.0, alpha)


def beam_search(step, encoded, state, max_length, beam_size, n_best=1, alpha=0.0):
    """The strings of highest `log p(y | x) / lp(y)` that a beam of `beam_size` finds.

    A hypothesis that ends among the `beam_size` best extensions is finished: it leaves the beam,
    its place is taken by the next best live one, and it is kept for good unless better finished
    ones crowd it out. A source is done when no live hypothesis can still beat its `n_best`-th
    finished one, which, since log-probabilities only fall, is a bound and not a guess. What a
    source gets is so independent of the others in the batch. With a beam of 1 and `alpha` 0 this
    is greedy decoding; with one as wide as there are prefixes, an exhaustive search.

    Args:
        step, encoded, state, max_length: as in `greedy`. `step` gets `batch * beam_size` tokens
            and rows of state, the beams of a source side by side; `encoded` stays at one row a
            source.
        beam_size: live hypotheses for each source; at most half of all extensions of a beam,
            `beam_size * vocabulary`.
        n_best: how many to return, at most `beam_size`.
        alpha: >= 0; strength of the length penalty, 0 for none.

    Returns:
        `Hypotheses`, `n_best` for each source; score IMPOSSIBLE where there are not as many.

    Reference:
        Wu et al. 2016, "Google's Neural Machine Translation System", section 7.
    """
    batch = rows(state)
    best_penalty = length_penalty(max_length, alpha)

    def undecided(t, live, finished, history):
        bound = live.log_probabilities[:, 0] / best_penalty
        to_beat = tf.maximum(finished.scores[:, n_best - 1], IMPOSSIBLE / 2 / best_penalty)
        open_ended = tf.reduce_any(bound > to_beat)
        return (t == 0) | (t < max_length) & open_ended

    def body(t, live, finished, history):
        tokens = tf.reshape(live.tokens, [-1])
        logits, state, attention = step(tokens, {**encoded, **live.state})
        totals = _extend(live.log_probabilities, logits, t == max_length - 1)
        totals, beams, tokens = _best_extensions(totals, 2 * beam_size)
        ended = tokens == END
        finished = _finish(finished, t, totals, beams, ended, length_penalty(t + 1, alpha))
        totals = tf.where(ended, IMPOSSIBLE, totals)
        totals, places = tf.math.top_k(totals, beam_size)
        tokens, beams = _pick(tokens, places), _pick(beams, places)
        attention = tf.reshape(
            tf.cast(attention, tf.float32), [batch, beam_size, tf.shape(attention)[-1]]
        )
        history = History(
            history.tokens.write(t, tokens),
            history.parents.write(t, beams),
            history.attention.write(t, attention),
        )
        return t + 1, Live(tokens, totals, _pick_rows(state, beams)), finished, history

    first = _first(batch, beam_size, max_length, state)
    shapes = _shapes(first)
    steps, _, finished, history = tf.while_loop(undecided, body, first, shape_invariants=shapes)
    best = Finished(*(tensor[:, :n_best] for tensor in finished))
    return _trace_back(best, history, steps)


def _first(batch, beam_size, max_length, state):
    """Before the first step: one live hypothesis a source, the other beams impossible."""
    alone = tf.one_hot(0, beam_size, on_value=0.0, off_value=IMPOSSIBLE)
    live = Live(
        tf.fill([batch, beam_size], START),
        tf.tile(alone[None], [batch, 1]),
        {name: tf.repeat(tensor, beam_size, axis=0) for name, tensor in state.items()},
    )
    none = tf.fill([batch, beam_size], IMPOSSIBLE)
    never = tf.fill([batch, beam_size], -1)
    anywhere = tf.zeros([batch, beam_size], tf.int32)
    history = History(
        tf.TensorArray(tf.int32, max_length, element_shape=[None, beam_size]),
        tf.TensorArray(tf.int32, max_length, element_shape=[None, beam_size]),
        tf.TensorArray(tf.float32, max_length, element_shape=[None, beam_size, None]),
    )
    return tf.constant(0), live, Finished(none, none, never, anywhere), history


def _shapes(first):
    _, live, finished, history = first
    beams = tf.TensorShape([None, live.tokens.shape[1]])
    return (
        tf.TensorShape([]),
        Live(beams, beams, free_batch(live.state)),
        Finished(*(beams for _ in finished)),
        History(*(tf.TensorShape(None) for _ in history)),
    )


def _extend(log_probabilities, logits, last):
    """Log-probability of every extension, `(batch, beams, vocabulary)`."""
    batch, beams = tf.unstack(tf.shape(log_probabilities))
    gained = tf.reshape(gains(logits, last), [batch, beams, logits.shape[-1]])
    return log_probabilities[..., None] + gained


def _best_extensions(totals, count):
    """The `count` best: log-probabilities, beams and tokens, `(batch, count)` each."""
    vocabulary = totals.shape[-1]
    flat = tf.reshape(totals, [tf.shape(totals)[0], totals.shape[1] * vocabulary])
    totals, places = tf.math.top_k(flat, count)
    return totals, places // vocabulary, places % vocabulary


def _finish(finished, t, totals, beams, ended, penalty):
    """Let those of the first `beam_size` extensions that end compete with the finished ones."""
    count = finished.scores.shape[1]
    possible = (ended & (totals > IMPOSSIBLE / 2))[:, :count]
    totals = tf.where(possible, totals[:, :count], IMPOSSIBLE)
    newly = Finished(
        tf.where(possible, totals / penalty, IMPOSSIBLE),
        totals,
        tf.where(possible, t, -1),
        beams[:, :count],
    )
    both = Finished(*(tf.concat(pair, 1) for pair in zip(finished, newly, strict=True)))
    _, places = tf.math.top_k(both.scores, count)
    return Finished(*(_pick(tensor, places) for tensor in both))


def _pick(tensor, places):
    return tf.gather(tensor, places, axis=1, batch_dims=1)


def _pick_rows(state, beams):
    """The state of the chosen beams: `beams (batch, beams)` counts within each source."""
    batch, count = tf.unstack(tf.shape(beams))
    flat = tf.reshape(tf.range(batch)[:, None] * count + beams, [-1])
    return {name: tf.gather(tensor, flat) for name, tensor in state.items()}


def _trace_back(best, history, steps):
    """Follow the parents from where each hypothesis ended to its first token."""
    tokens, parents, attention = (array.gather(tf.range(steps)) for array in history)

    def body(t, beams, strings, alignment):
        within = t < best.steps
        token = tf.where(within, _pick(tokens[t], beams), tf.where(t == best.steps, END, PAD))
        beams = tf.where(within, _pick(parents[t], beams), best.beams)
        looked = tf.where((t <= best.steps)[..., None], _pick(attention[t], beams), 0.0)
        return t - 1, beams, strings.write(t, token), alignment.write(t, looked)

    *_, strings, alignment = tf.while_loop(
        lambda t, *_: t >= 0,
        body,
        (
            steps - 1,
            best.beams,
            tf.TensorArray(tf.int32, steps, element_shape=best.beams.shape),
            tf.TensorArray(tf.float32, steps, element_shape=[None, *best.beams.shape[1:], None]),
        ),
    )
    return Hypotheses(
        tf.transpose(strings.stack(), [1, 2, 0]),
        best.steps + 1,
        best.log_probabilities,
        best.scores,
        tf.transpose(alignment.stack(), [1, 2, 0, 3]),
    )
