"""What the local server makes of a machine, against the same SavedModel called directly.

    python -m benchmarks.serve_load                    # throughput, latency, start, as tables
    python -m benchmarks.serve_load --model base       # of a model of usual size
    python -m benchmarks.serve_load --overload 30      # half an hour of twice what it can do

The server has one core, the direct calls have the same one, and the clients have the others, so
that what they compute is no part of the comparison. With `--shared` all have all cores, and what
the clients take the server lacks. Direct calls are first tried with all `SIZES` and `CALLERS`; the
best of them then takes turns with the clients, since a machine's speed drifts, and the share is the
median of those turns' own. Each round starts a server anew. Ends with what falls short of the
figures to reach, and with status 1 if anything does.
"""

import argparse
import itertools
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
from benchmarks.served_model import MODELS, NAME, fresh_process, make, served

CLIENTS = 32
SIZES = (1, 2, 4, 8, 16, 32, 64)
CALLERS = (1, 2)
TURNS = 3
# To reach: share of the best direct throughput, time of the first request in medians, seconds to
# load, and memory beyond TensorFlow's own, in weights.
SHARE, FIRST, LOAD, WEIGHTS = 0.85, 2, 3, 2


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--overload", type=float, metavar="MINUTES")
    parser.add_argument("--model", choices=MODELS, default="tiny")
    parser.add_argument("--shared", action="store_true", help="all on all cores")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4, help="of load in each turn")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with fresh_process() as process:
            requests = process.submit(make, Path(folder), asked.model).result()
        if asked.overload:
            return overload(folder, requests, asked.overload).report()
        cores = divided(asked.shared)
        short = compare(folder, requests, cores, asked.rounds, asked.seconds)
        short += start_up(Path(folder, NAME, "1"), asked.rounds)
    print("\nShort of the figures to reach:", "; ".join(short) or "none")
    return bool(short)


def divided(shared):
    """The cores of the server and of direct calls, and those of the clients."""
    cores = sorted(os.sched_getaffinity(0))
    if shared:
        return cores, cores
    if len(cores) == 1:
        sys.exit("One core: there is none that the clients could have alone; add --shared.")
    return cores[:1], cores[1:]


def compare(folder, requests, cores, rounds, seconds):
    """Prints throughput and latency; what falls short."""
    asked, first = {kind: [] for kind in KINDS}, []
    version, (its, others) = Path(folder, NAME, "1"), cores
    print(f"The server and direct calls on core {_names(its)}, clients on core {_names(others)}.\n")
    with fresh_process(its) as caller, fresh_process(others) as client:
        best = _best_direct(caller, version, rounds, seconds / 4)
        for _ in range(rounds):
            with served(folder, cores=its) as (_, ports):
                for kind, port in ports.items():
                    alone = client.submit(closed_loop, kind, port, requests, 1, 3).result()
                    first.append(_first_against_median(alone))
                for kind in TURNS * list(ports):
                    directly = caller.submit(direct.rate, version, *best, seconds / 2).result()
                    many = closed_loop, kind, ports[kind], requests, CLIENTS, seconds
                    row = _served_row(client.submit(*many).result())
                    asked[kind].append((row[0] / directly, directly, *row))
    shares = _print_served(asked)
    first = statistics.median(first[:: len(KINDS)])  # of each server's very first
    print(f"\nThe first request after loading takes {first:.2f} of the median one's time.")
    short = [f"{kind} at {share:.2f}" for kind, share in shares.items() if share < SHARE]
    wrong = sum(row[-1] for rows in asked.values() for row in rows)
    return [
        *short,
        *([f"first request at {first:.2f}"] if first > FIRST else []),
        *([f"{wrong} wrong or refused answers"] if wrong else []),
    ]


def _best_direct(caller, version, rounds, seconds):
    """The size of a batch and the number of callers that translate most; prints all."""
    ways = list(itertools.product(SIZES, CALLERS))
    found = {way: [] for way in ways}
    for way in rounds * ways:
        found[way].append(caller.submit(direct.rate, version, *way, seconds).result())
    rates = {way: statistics.median(of) for way, of in found.items()}
    _print_direct(rates)
    return max(ways, key=rates.get)


def _names(cores):
    return ", ".join(map(str, cores))


def _first_against_median(answers):
    return answers[0].seconds / statistics.median(answer.seconds for answer in answers[1:])


def _served_row(answers):
    """Right answers a second, median and 99th percentile in milliseconds, others' number."""
    seconds = sorted(answer.seconds for answer in answers)
    began = min(answer.began for answer in answers)
    ended = max(answer.began + answer.seconds for answer in answers)
    right = sum(answer.right for answer in answers)
    return (
        right / (ended - began),
        1000 * statistics.median(seconds),
        1000 * seconds[int(0.99 * len(seconds))],
        len(answers) - right,
    )


def _print_direct(rates):
    print(f"| direct calls of a batch of | {' | '.join(map(str, SIZES))} |")
    print("|---" * (len(SIZES) + 1) + "|")
    for callers in CALLERS:
        row = [f"{rates[size, callers]:.0f}" for size in SIZES]
        print(f"| sentences/s, {callers} at once | {' | '.join(row)} |")


def _print_served(asked):
    print(
        f"\n| {CLIENTS} clients over | / direct | direct | sentences/s | p50 ms | p99 ms | wrong |"
    )
    print("|---|---|---|---|---|---|---|")
    shares = {}
    for kind, rows in asked.items():
        shares[kind], *figures, _ = map(statistics.median, zip(*rows, strict=True))
        cells = " | ".join(f"{figure:.0f}" for figure in figures)
        print(f"| {kind} | {shares[kind]:.2f} | {cells} | {sum(row[-1] for row in rows)} |")
    return shares


def start_up(version, rounds):
    """Prints what loading takes, after importing TensorFlow and the server; what falls short."""
    found = []
    for _ in range(rounds):
        with fresh_process() as process:
            found.append(process.submit(direct.start_up, version).result())
    print("\n| | seconds | MB |")
    print("|---|---|---|")
    steps = {}
    for name in found[0]:
        steps[name] = [statistics.median(row[name][i] for row in found) for i in (0, 1)]
        print(f"| {name} | {steps[name][0]:.1f} | {steps[name][1]:.0f} |")
    (_, bare), _, (seconds, _), (_, loaded), _, (_, warm), (_, weights) = steps.values()
    held = {"loading": (loaded - bare) / weights, "warming up": (warm - bare) / weights}
    print(*(f"After {step}: {times:.1f} times the weights." for step, times in held.items()))
    return [
        *([f"loading in {seconds:.1f} s"] if seconds > LOAD else []),
        *(f"memory after {step}" for step, times in held.items() if times > WEIGHTS),
    ]


if __name__ == "__main__":
    sys.exit(main())
