"""What the local server makes of a machine, against the same SavedModel called directly.

    python -m benchmarks.serve_load                  # throughput, latency, start, as tables
    python -m benchmarks.serve_load --overload 30    # half an hour of twice what it can do

Medians of `ROUNDS` interleaved rounds, each with a server started anew. The clients run on the same
machine, so what they take the server lacks. Ends with what falls short of the figures to reach, and
with status 1 if anything does.
"""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from serving.serve import ENVIRONMENT

os.environ.update(ENVIRONMENT, TF_CPP_MIN_LOG_LEVEL="3")  # of the server and of direct calls alike

from benchmarks import direct
from benchmarks.clients import KINDS, closed_loop
from benchmarks.overload import overload
from benchmarks.served_model import NAME, fresh_process, make, served

ROUNDS = 3
SECONDS = 8
CLIENTS = 32
SIZES = (1, 2, 4, 8, 16, 32, 64)
CALLERS = (1, 2)
# To reach: share of the best direct throughput, time of the first request in medians, seconds to
# load, and memory beyond TensorFlow's own, in weights.
SHARE, FIRST, LOAD, WEIGHTS = 0.85, 2, 3, 2


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--overload", type=float, metavar="MINUTES")
    minutes = parser.parse_args().overload
    with tempfile.TemporaryDirectory() as folder:
        with fresh_process() as process:
            requests = process.submit(make, Path(folder)).result()
        if minutes:
            return overload(folder, requests, minutes).report()
        version = Path(folder, NAME, "1")
        short = [*compare(folder, version, requests), *start_up(version)]
    print("\nShort of the figures to reach:", "; ".join(short) or "none")
    return bool(short)


def compare(folder, version, requests):
    """Prints throughput and latency; what falls short."""
    called, asked, first = {}, {kind: [] for kind in KINDS}, []
    with fresh_process() as caller, fresh_process() as client:
        for number in range(ROUNDS):
            for size in SIZES:
                for callers in CALLERS:
                    rate = caller.submit(direct.rate, version, size, callers, SECONDS / 2)
                    called.setdefault((size, callers), []).append(rate.result())
            with served(folder) as (_, ports):
                for kind in sorted(KINDS, reverse=number % 2):
                    alone = client.submit(closed_loop, kind, ports[kind], requests, 1, 3).result()
                    if len(first) == number:  # nobody asked before
                        first.append(_first_against_median(alone))
                    many = closed_loop, kind, ports[kind], requests, CLIENTS, SECONDS
                    asked[kind].append(_served_row(client.submit(*many).result()))
    rates = {how: statistics.median(found) for how, found in called.items()}
    _print_direct(rates)
    shares = _print_served(asked, max(rates.values()))
    first = statistics.median(first)
    print(f"\nThe first request after loading takes {first:.2f} of the median one's time.")
    short = [f"{kind} at {share:.2f}" for kind, share in shares.items() if share < SHARE]
    return short + ([f"first request at {first:.2f}"] if first > FIRST else [])


def _first_against_median(answers):
    return answers[0].seconds / statistics.median(answer.seconds for answer in answers[1:])


def _served_row(answers):
    """Sentences a second, median and 99th percentile in milliseconds, wrong answers."""
    seconds = sorted(answer.seconds for answer in answers)
    began = min(answer.began for answer in answers)
    ended = max(answer.began + answer.seconds for answer in answers)
    return (
        len(answers) / (ended - began),
        1000 * statistics.median(seconds),
        1000 * seconds[int(0.99 * len(seconds))],
        sum(not answer.right for answer in answers),
    )


def _print_direct(rates):
    print(f"| direct calls of a batch of | {' | '.join(map(str, SIZES))} |")
    print("|---" * (len(SIZES) + 1) + "|")
    for callers in CALLERS:
        row = [f"{rates[size, callers]:.0f}" for size in SIZES]
        print(f"| sentences/s, {callers} at once | {' | '.join(row)} |")


def _print_served(asked, best):
    print(f"\n| {CLIENTS} clients over | sentences/s | / best direct | p50 ms | p99 ms | wrong |")
    print("|---|---|---|---|---|---|")
    shares = {}
    for kind, rows in asked.items():
        rate, middle, late, wrong = map(statistics.median, zip(*rows, strict=True))
        shares[kind] = rate / best
        print(
            f"| {kind} | {rate:.0f} | {shares[kind]:.2f} | {middle:.0f} | {late:.0f} | {wrong:g} |"
        )
    return shares


def start_up(version):
    """Prints what loading takes, after importing TensorFlow and the server; what falls short."""
    found = []
    for _ in range(ROUNDS):
        with fresh_process() as process:
            found.append(process.submit(direct.start_up, version).result())
    print("\n| | seconds | MB |")
    print("|---|---|---|")
    steps = {}
    for name in found[0]:
        steps[name] = [statistics.median(row[name][i] for row in found) for i in (0, 1)]
        print(f"| {name} | {steps[name][0]:.1f} | {steps[name][1]:.0f} |")
    (_, bare), _, (seconds, _), _, (_, full), (_, weights) = steps.values()
    grown = (full - bare) / weights
    return [
        *([f"loading in {seconds:.1f} s"] if seconds > LOAD else []),
        *([f"memory of {grown:.0f} times the weights"] if grown > WEIGHTS else []),
    ]


if __name__ == "__main__":
    sys.exit(main())
