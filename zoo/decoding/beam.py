"""Beam search, with exact bookkeeping of finished hypotheses."""

from typing import NamedTuple

import tensorflow as tf

from zoo.decoding.finished import (
    Finished,
    History,
    coverage_penalty,
    length_penalty,
    pick,
    trace_back,
)
from zoo.decoding.hypotheses import IMPOSSIBLE, free_batch, rows, write
from zoo.decoding.rules import NO_RULES
from zoo.decoding.top import largest_sums
from zoo.text.vocabulary import END, PAD, START


class Live(NamedTuple):
    """Hypotheses that may still grow; `(batch, beams)` each but for the last three."""

    tokens: tf.Tensor  # the token each ends in
    log_probabilities: tf.Tensor
    state: dict  # (batch * beams, ...)
    written: tf.Tensor  # (batch * beams, room), what rules want to know; otherwise room 0
    covered: tf.Tensor  # (batch * beams, source length), what the coverage penalty wants; or 0


def beam_search(
    step,
    encoded,
    state,
    max_length,
    beam_size,
    n_best=1,
    alpha=0.0,
    beta=0.0,
    source_mask=None,
    diversity=0.0,
    rules=NO_RULES,
    whole=False,
):
    """The strings of highest `log p(y | x) / lp(y) + cp(x; y)` that a beam of `beam_size` finds.

    A hypothesis that ends among the `beam_size` best extensions is finished: it leaves the beam,
    its place is taken by the next best live one, and it is kept for good unless better finished
    ones crowd it out. A source is done when no live hypothesis can still beat its `n_best`-th
    finished one, which, since log-probabilities only fall, is a bound and not a guess. What a
    source gets is so independent of the others in the batch. With a beam of 1 and no penalty this
    is greedy decoding; with one as wide as there are prefixes, an exhaustive search.

    Args:
        step, encoded, state, max_length, rules, whole: as in `greedy`. `step` gets
            `batch * beam_size` tokens and rows of state, the beams of a source side by side;
            `encoded` stays at one row a source.
        beam_size: live hypotheses for each source; at most half of all extensions of a beam,
            `beam_size * vocabulary`.
        n_best: how many to return, at most `beam_size`.
        alpha: float >= 0 or `(batch,)`; strength of the length penalty, 0 for none.
        beta: float >= 0; strength of the coverage penalty, 0 for none.
        source_mask: boolean `(batch, source length)`, what has to be covered; with `beta` only.
        diversity: gamma >= 0, taken from the k-th best extension of a hypothesis k times in the
            choice of the next ones, but not from its log-probability. 0 for plain beam search.

    Returns:
        `Hypotheses`, `n_best` for each source; score IMPOSSIBLE where there are not as many.

    Reference:
        Wu et al. 2016, "Google's Neural Machine Translation System", section 7. Diversity: Li,
        Monroe, Jurafsky 2016, "A Simple, Fast Diverse Decoding Algorithm for Neural Generation",
        section 3.
    """
    batch = rows(state)
    alpha = tf.reshape(tf.cast(alpha, tf.float32), [-1, 1])  # (1 or batch, 1)
    best_penalty = length_penalty(max_length, alpha)
    rules = rules.of_hypotheses(beam_size)
    first_rows = tf.range(batch)[:, None] * beam_size  # of each source
    source_length = tf.shape(source_mask)[1] if beta else 0

    def undecided(t, live, finished, history):
        bound = tf.reduce_max(live.log_probabilities, axis=1, keepdims=True) / best_penalty
        to_beat = tf.maximum(finished.scores[:, n_best - 1, None], IMPOSSIBLE / 2 / best_penalty)
        return (t == 0) | (t < max_length) & tf.reduce_any(bound > to_beat)

    def body(t, live, finished, history):
        logits, state, attention = step(tf.reshape(live.tokens, [-1]), {**encoded, **live.state})
        gains = tf.nn.log_softmax(tf.cast(logits, tf.float32))
        attention = tf.cast(attention, tf.float32)
        allowed = rules.allowed(gains, t, t == max_length - 1, live.written)
        keys, totals, beams, tokens = _best_extensions(
            live.log_probabilities, allowed, beam_size, diversity
        )
        ended = tokens == END

        covered = live.covered + attention if beta else live.covered
        newly = [tensor[:, :beam_size] for tensor in (ended, totals, beams)]
        scores = newly[1] / length_penalty(t + 1, alpha)
        if beta:
            by_source = tf.reshape(covered, [batch, beam_size, source_length])
            penalty = coverage_penalty(by_source, source_mask, beta)
            scores += pick(penalty, newly[2])
        possible = newly[0] & (newly[1] > IMPOSSIBLE / 2)
        finished = finished.joined_by(possible, scores, newly[1], t, newly[2])

        _, places = tf.math.top_k(tf.where(ended, IMPOSSIBLE, keys), beam_size)
        totals = pick(tf.where(ended, IMPOSSIBLE, totals), places)
        tokens, beams = pick(tokens, places), pick(beams, places)
        rows_kept = tf.reshape(first_rows + beams, [-1])
        state, written, covered = tf.nest.map_structure(
            lambda tensor: tf.gather(tensor, rows_kept), (state, live.written, covered)
        )
        if rules.no_repeat:
            written = write(written, t, tf.reshape(tokens, [-1]))
        history = history.write(t, tokens, beams, attention)
        return t + 1, Live(tokens, totals, state, written, covered), finished, history

    room = max_length if rules.no_repeat else 0
    first = (
        tf.constant(0),
        _first_live(batch, beam_size, state, room, source_length),
        Finished.none(batch, beam_size),
        History.empty(max_length, beam_size),
    )
    shapes = _shapes(first, beam_size)
    steps, _, finished, history = tf.while_loop(undecided, body, first, shape_invariants=shapes)
    best = Finished(*(tensor[:, :n_best] for tensor in finished))
    return trace_back(best, history, max_length if whole else steps)


def _first_live(batch, beam_size, state, room, source_length):
    """Before the first step: one live hypothesis a source, the other beams impossible."""
    alone = tf.one_hot(0, beam_size, on_value=0.0, off_value=IMPOSSIBLE)
    return Live(
        tf.fill([batch, beam_size], START),
        tf.tile(alone[None], [batch, 1]),
        {name: tf.repeat(tensor, beam_size, axis=0) for name, tensor in state.items()},
        tf.fill([batch * beam_size, room], PAD),
        tf.zeros([batch * beam_size, source_length]),
    )


def _shapes(first, beam_size):
    _, live, finished, history = first
    beams, pages = tf.TensorShape([None, beam_size]), tf.TensorShape([None, None])
    return (
        tf.TensorShape([]),
        Live(beams, beams, free_batch(live.state), pages, pages),
        Finished(*(beams for _ in finished)),
        History(*(tf.TensorShape(None) for _ in history)),
    )


def _best_extensions(before, gains, beam_size, diversity):
    """The `2 * beam_size` best: what ranks them, log-probabilities, beams, tokens.

    Args:
        before: `(batch, beams)`, log-probabilities of what is extended.
        gains: `(batch * beams, vocabulary)`, of what extends it.

    Returns:
        `(batch, 2 * beam_size)` each.
    """
    if not diversity:
        totals, beams, tokens = largest_sums(before, gains, 2 * beam_size)
        return totals, totals, beams, tokens
    # None lies below so many of its siblings.
    siblings = min(2 * beam_size, gains.shape[-1])
    totals, _, tokens = largest_sums(tf.reshape(before, [-1, 1]), gains, siblings)
    keys = totals - diversity * tf.range(siblings, dtype=tf.float32)
    keys, totals, tokens = (
        tf.reshape(x, [-1, beam_size * siblings]) for x in (keys, totals, tokens)
    )
    keys, places = tf.math.top_k(keys, 2 * beam_size)
    return keys, pick(totals, places), places // siblings, pick(tokens, places)
