import collections
import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from training.batch_plan import MOST_SHAPES, BatchPlan

SIZES = {"pairs": (16, 0), "tokens": (1, 512)}


def lengths(kind, pairs=3000, longest=64):
    """Sources of a distribution, and targets that are about 1.2 times as long."""
    random = np.random.default_rng(0)
    source = {
        "lognormal": lambda: random.lognormal(2.8, 0.7, pairs),
        "uniform": lambda: random.uniform(1, longest, pairs),
        "geometric": lambda: random.geometric(0.06, pairs),
        "words and sentences": lambda: random.choice([3, 40], pairs) + random.poisson(4, pairs),
        "alike": lambda: np.full(pairs, 20),
    }[kind]()
    target = 1.2 * source + random.normal(0, 1, pairs)
    return tuple(np.clip(np.round(side), 2, longest).astype(int) for side in (source, target))


KINDS = ("lognormal", "uniform", "geometric", "words and sentences", "alike")


@pytest.fixture(scope="module", params=SIZES)
def plan(request):
    return BatchPlan.of(lengths("lognormal"), *SIZES[request.param], seed=7)


def described(batches):
    return [(batch.rows.tolist(), *batch[1:]) for batch in batches]


@pytest.mark.parametrize("order", ["epoch 0", "epoch 5", "in order"])
def test_every_pair_once(plan, order):
    batches = plan.in_order() if order == "in order" else plan.epoch(int(order[-1]))
    rows = collections.Counter(np.concatenate([batch.rows for batch in batches]).tolist())
    del rows[-1]
    assert rows == collections.Counter(range(3000))
    assert len(batches) == len(plan)


def test_every_pair_fits(plan):
    source, target = lengths("lognormal")
    for rows, source_length, target_length in plan.epoch(1):
        real = rows[rows >= 0]
        assert len(real)
        assert source[real].max() <= source_length
        assert target[real].max() <= target_length


def test_batches_have_the_shapes_that_were_chosen(plan):
    assert {(len(rows), *lengths) for rows, *lengths in plan.epoch(3)} == set(plan.shapes)
    assert len(plan.shapes) <= MOST_SHAPES


def test_a_batch_has_no_more_pairs_than_asked_for():
    plan = BatchPlan.of(lengths("lognormal"), 16)
    assert all(shape.rows <= 16 for shape in plan.shapes)
    assert len(plan) <= 3000 / 16 + MOST_SHAPES


@pytest.mark.parametrize("budget", [1, 70, 512, 4096])
def test_a_batch_has_no_more_tokens_than_asked_for_on_its_longer_side(budget):
    plan = BatchPlan.of(lengths("lognormal"), 1, budget)
    for shape in plan.shapes:
        assert shape.rows == 1 or shape.rows * max(shape.source, shape.target) <= budget


def test_the_order_depends_on_seed_and_epoch(plan):
    other = BatchPlan.of(lengths("lognormal"), 16, seed=8)
    orders = [described(p.epoch(epoch)) for p in (plan, other) for epoch in (0, 1)]
    assert described(plan.epoch(0)) == orders[0]
    assert all(one != two for i, one in enumerate(orders) for two in orders[:i])


PROCESS = """
import hashlib, numpy as np
from training.batch_plan import BatchPlan
source = np.arange(2000) * 7919 % 61 + 2
batches = BatchPlan.of((source, source + source % 3), 8, 256, seed=11).epoch(4)
print(hashlib.sha256(repr([(b.rows.tolist(), *b[1:]) for b in batches]).encode()).hexdigest())
"""


def test_every_process_has_the_same_plan():
    def digest(seed):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", PROCESS]
        return subprocess.check_output(command, text=True, env=environment).strip()

    source = np.arange(2000) * 7919 % 61 + 2
    batches = described(BatchPlan.of((source, source + source % 3), 8, 256, seed=11).epoch(4))
    here = hashlib.sha256(repr(batches).encode()).hexdigest()
    assert digest("1") == digest("2") == here


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_the_workers_parts_make_up_the_batch(plan, workers):
    parts = [plan.part(worker, workers).epoch(2) for worker in range(workers)]
    for whole, *own in zip(plan.epoch(2), *parts, strict=True):
        assert len({(len(batch.rows), *batch[1:]) for batch in own}) == 1
        rows = np.concatenate([batch.rows for batch in own])
        assert rows[: len(whole.rows)].tolist() == whole.rows.tolist()
        assert (rows[len(whole.rows) :] == -1).all()


def test_there_is_no_worker_beyond_the_last(plan):
    with pytest.raises(ValueError, match="`worker` must be from 0 to 1; got 2"):
        plan.part(2, 2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_padding_stays_below_15_percent(kind, sizes):
    source, target = lengths(kind)
    plan = BatchPlan.of((source, target), *sizes)
    padded = sum(len(batch.rows) * (batch[1] + batch[2]) for batch in plan.in_order())
    assert plan.padding == pytest.approx(1 - (source.sum() + target.sum()) / padded)
    assert plan.padding < 0.15


def test_few_pairs_share_few_batches():
    source = np.arange(2, 22)
    (batch,) = BatchPlan.of((source, source), 64).epoch(0)
    assert sorted(batch.rows) == list(range(20))
    assert batch[1:] == (21, 21)


def test_what_is_left_over_is_spread():
    """Nine pairs, eight a batch at most: not eight and one, but five and four."""
    alike = np.full(9, 6)
    batches = BatchPlan.of((alike, alike), 8).in_order()
    assert [batch.rows.tolist() for batch in batches] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, -1]]
