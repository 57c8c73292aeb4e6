"""Do the command lines for several machines work? Each is run here, where every machine is a torchrun on 127.0.0.1.

    uv run sprints/24_distributed_training/several_machines.py
    uv run sprints/24_distributed_training/several_machines.py --machines 3 --ways torchrun

Each process says who it is, and adds up the ranks of all. Theory: notes/13_several_machines.md
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from parallel_study.loopback import by_hand, by_slurm, by_torchrun
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.ranges import Different, Processes
from shared.lab.run import run

Way = Literal["torchrun", "by_hand", "slurm"]
WAYS = {"torchrun": by_torchrun, "by_hand": by_hand, "slurm": by_slurm}

MOST = 16  # processes on this machine


@dataclass(frozen=True)
class Config(ScriptConfig):
    machines: Processes = 2  # each a torchrun of its own
    processes: Processes = 1  # of a machine
    ways: Annotated[tuple[Way, ...], Different] = ("torchrun", "by_hand", "slurm")  # to start them

    def check(self) -> None:
        if self.machines * self.processes > MOST:
            raise ValueError(
                f"all machines are this one, which may start {MOST} processes: give fewer --machines or --processes, "
                f"not {self.machines} times {self.processes}"
            )


@dataclass(frozen=True)
class Process:
    rank: int
    size: int
    machine: int
    local_rank: int
    sum_of_ranks: int


@dataclass(frozen=True)
class Results:
    processes: dict[str, list[Process]]  # by the way in which they were started
    complete: dict[str, bool]  # each rank once, and every process knows the same sum


def main(config: Config) -> Results:
    found, complete = {}, {}
    size = config.machines * config.processes
    for way in config.ways:
        found[way] = [Process(**answer) for answer in WAYS[way](config.machines, config.processes)]
        ranks, sums = [process.rank for process in found[way]], {process.sum_of_ranks for process in found[way]}
        complete[way] = ranks == list(range(size)) and sums == {size * (size - 1) // 2}
        for process in found[way]:
            print(f"{way:<9} machine {process.machine}, local rank {process.local_rank}: rank {process.rank} of {size}")
    return Results(found, complete)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT})
