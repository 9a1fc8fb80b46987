"""More requests than the server can answer, for a long time, and whether it bears them."""

import collections
import statistics
import time
from typing import NamedTuple

from benchmarks.clients import closed_loop, open_loop
from benchmarks.served_model import fresh_process, memory, served

REFUSALS = {"503", "UNAVAILABLE", "RESOURCE_EXHAUSTED"}
TIMES = 2  # what is sent, as a multiple of what can be answered
CLIENTS = 32
FLAT = 1.02  # memory in the last quarter, as a multiple of the second: the first warms up


class Outcome(NamedTuple):
    """What came of an overload.

    Attributes:
        rate: Requests a second that were sent.
        codes: How often each code was answered.
        wrong: Answers that were not the right one.
        memory: Megabytes of the server in each quarter of the time, the mean.
        recovered: Seconds after the last request until one was answered as on an idle server.
    """

    rate: float
    codes: dict
    wrong: int
    memory: list
    recovered: float

    def faults(self):
        """The promises that were broken, in words."""
        _, second, _, last = self.memory
        return [
            *([f"{self.wrong} wrong answers"] if self.wrong else []),
            *(f"code {code}" for code in self.codes.keys() - REFUSALS - {"OK"}),
            *(["nothing was refused"] if not self.codes.keys() & REFUSALS else []),
            *([f"memory grew from {second:.0f} to {last:.0f} MB"] if last > FLAT * second else []),
        ]

    def report(self):
        """Prints it; 1 if a promise was broken, else 0."""
        quarters = ", ".join(f"{megabytes:.0f}" for megabytes in self.memory)
        print("| sent/s | codes | wrong | MB in each quarter | back to normal after |")
        print("|---|---|---|---|---|")
        codes = ", ".join(f"{code} {count}" for code, count in sorted(self.codes.items()))
        print(f"| {self.rate:.0f} | {codes} | {self.wrong} | {quarters} | {self.recovered:.2f} s |")
        late = [f"back to normal after {self.recovered:.2f} s"] if self.recovered > 1 else []
        print(*(f"BROKEN: {fault}" for fault in self.faults() + late), sep="\n")
        return 1 if self.faults() + late else 0


def overload(folder, requests, minutes):
    """Measures what a server can do, sends twice of it over both protocols, and looks at it."""
    with fresh_process() as client, served(folder) as (process, ports):
        seconds, done = min(30, 15 * minutes), 0
        for kind in ports:
            many = closed_loop, kind, ports[kind], requests, CLIENTS, seconds
            done += len(client.submit(*many).result())
        rate = TIMES * done / (seconds * len(ports))
        alone = client.submit(closed_loop, "gRPC", ports["gRPC"], requests, 1, 3).result()
        normal = 2 * statistics.median(answer.seconds for answer in alone)
        sent = client.submit(open_loop, ports, requests, rate, 60 * minutes, normal)
        sizes = []
        while not sent.done():
            sizes.append(memory(process.pid))
            time.sleep(0.2)
    answers, recovered = sent.result()
    quarter = len(sizes) // 4
    means = [statistics.mean(sizes[i * quarter : (i + 1) * quarter]) for i in range(4)]
    codes = collections.Counter(answer.code for answer in answers)
    wrong = sum(answer.code == "OK" and not answer.right for answer in answers)
    return Outcome(rate, codes, wrong, means, recovered)
