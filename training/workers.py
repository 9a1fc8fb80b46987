"""Several processes that train one model: who they are, how they meet, how they part."""

import contextlib
import dataclasses
import os
import sys

import keras

# What launchers tell a process: its number, and how many there are.
LAUNCHERS = (
    ("RANK", "WORLD_SIZE"),  # torchrun and its like
    ("SLURM_PROCID", "SLURM_NTASKS"),
    ("JOB_COMPLETION_INDEX", ""),  # Kubernetes, which does not tell how many
)
HEARTBEAT = 20  # seconds of silence after which a worker is taken for dead


@dataclasses.dataclass(frozen=True)
class Workers:
    """One of several processes, each on all devices that it sees.

    Attributes:
        number: of this one. Number 0 writes all files, into folders that the others can read.
        count: how many there are.
        coordinator: `host:port` of number 0, which all can reach.

    Raises:
        ValueError: for a number that none of so many has, or several without a coordinator.
    """

    number: int = 0
    count: int = 1
    coordinator: str = ""

    def __post_init__(self):
        if not 0 <= self.number < self.count:
            raise ValueError(
                f"worker {self.number} is none of {self.count}, which are numbered from 0; "
                "give --worker and --workers"
            )
        if self.count > 1 and not self.coordinator.rpartition(":")[2].isdecimal():
            raise ValueError(
                f"{self.count} workers meet at --coordinator HOST:PORT, or at MASTER_ADDR and "
                f"MASTER_PORT of the environment; got {self.coordinator!r}"
            )

    @classmethod
    def found(cls, number=None, count=None, coordinator=None, environment=os.environ):
        """As flags say; what they leave open, as the environment does; or else alone.

        Args:
            number, count, coordinator: of the flags, None for what is not given.
            environment: variables that a launcher sets.
        """
        for own, all_of_them in LAUNCHERS:
            if count is None and all_of_them in environment:
                count = _whole(all_of_them, environment)
            # Jobs that know nothing of each other have numbers, too.
            if number is None and (count or 1) > 1 and own in environment:
                number = _whole(own, environment)
        if coordinator is None and "MASTER_ADDR" in environment:
            coordinator = f"{environment['MASTER_ADDR']}:{environment.get('MASTER_PORT', 29500)}"
        return cls(number or 0, count or 1, coordinator or "")

    @property
    def leads(self):
        """Whether this one writes the files."""
        return self.number == 0

    def join(self):
        """Meet the others, and spread each batch over all devices of all.

        Raises:
            ValueError: on another Keras backend than JAX, for several.
        """
        if keras.backend.backend() != "jax":
            if self.count > 1:
                raise ValueError("several workers train on JAX only: give --backend jax")
            return
        if self.count > 1:
            _meet(self)
        if keras.distribution.get_device_count() > 1:
            # Each worker reads its own part of a batch.
            parallel = keras.distribution.DataParallel(auto_shard_dataset=False)
            keras.distribution.set_distribution(parallel)

    def own(self, batches):
        """This worker's part of each batch, which can be divided among its devices."""
        if keras.distribution.distribution() is None:
            return batches
        devices = keras.distribution.get_device_count() // self.count
        plan = batches.plan.part(self.number, self.count, devices)
        return dataclasses.replace(batches, plan=plan)

    def part(self):
        """From now on a variable is each one's own: to make one no longer takes all of them."""
        if self.count > 1:
            keras.distribution.set_distribution(None)

    def wait(self):
        """Until all have come here."""
        if self.count > 1:
            from jax.experimental import multihost_utils

            multihost_utils.sync_global_devices("workers")

    @contextlib.contextmanager
    def ending_together(self):
        """In this block an error of one worker ends it at once, and the others notice.

        A usual end of the process would wait for all others, and they wait for this one.
        """
        try:
            yield
        except Exception as error:
            if self.count == 1:
                raise
            print(f"worker {self.number}: {_told(error)}", file=sys.stderr, flush=True)
            os._exit(2)


ALONE = Workers()


def _told(error):
    """One line; of what the network says where another worker is gone, what that means."""
    line = " ".join(str(error).split()) or type(error).__name__
    broken = type(error).__name__ == "JaxRuntimeError" or "Gloo" in line
    if not broken or "RESOURCE_EXHAUSTED" in line:
        return line
    return (
        f"another worker is gone ({line[:100]}); give all of them their commands again: "
        "the run goes on from its last checkpoint"
    )


def _whole(name, environment):
    if not environment[name].isdecimal():
        raise ValueError(f"{name} must be a whole number; got {environment[name]!r}")
    return int(environment[name])


def _meet(workers):
    import jax

    jax.distributed.initialize(
        workers.coordinator,
        workers.count,
        workers.number,
        # It would give each worker of a Slurm job one device of its machine.
        cluster_detection_method="deactivate",
        heartbeat_timeout_seconds=HEARTBEAT,
    )
