"""Muon's update of a matrix whose rows are spread over processes: three ways, and what each of them sends.

    uv run sprints/24_distributed_training/muon_measured.py
    uv run sprints/24_distributed_training/muon_measured.py --preset wide

Gather and orthogonalise the whole; let DTensor do every product over all processes, as PyTorch's Muon does;
orthogonalise the shards alone, which is wrong. Beside each: the same matrix in one process, in float64.
Theory: notes/05_sharded_training.md
"""

from dataclasses import dataclass

import torch
from torch import Tensor, distributed, optim
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import Shard, distribute_tensor

from parallel_study.held import own
from parallel_study.processes import on_processes
from parallel_study.sharded_muon import orthogonalise_whole
from parallel_study.sharing import gather
from parallel_study.traffic import Traffic
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.training.muon import Muon, orthogonalise

PRESETS = {"wide": {"rows": 64, "columns": 256}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    processes: tuple[AtLeastTwo, ...] = (2, 4)  # that have equal parts of the rows
    rows: PositiveInt = 256  # of the matrix
    columns: PositiveInt = 64

    def check(self) -> None:
        if wrong := [count for count in self.processes if self.rows % count]:
            raise ValueError(f"the processes have equal parts of {self.rows} --rows; {wrong} do not divide them")


@dataclass(frozen=True)
class Way:
    off: float  # largest difference of a number from the update of one process
    largest: float  # singular value of the update
    calls: int  # collectives
    sent: float  # by each process, as a share of the matrix's bytes


def three_ways(config: Config) -> dict[str, Way]:
    """Return what comes of each way, as one process of the group."""
    rank, size = distributed.get_rank(), distributed.get_world_size()
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(config.rows, config.columns, generator=generator, dtype=torch.float64)
    options = Muon([torch.nn.Parameter(matrix)]).defaults
    constants = options["ns_coefficients"], options["ns_steps"], options["eps"]
    expected = orthogonalise(matrix, *constants)
    split = distribute_tensor(matrix, init_device_mesh("cpu", (size,)), [Shard(0)])
    shard = matrix.chunk(size)[rank]
    found = {}

    def add(name: str, own_rows: Tensor, traffic: Traffic) -> None:
        update = gather(own_rows)
        off = (update - expected).abs().max().item()
        largest = torch.linalg.matrix_norm(update, ord=2).item()
        sent = sum(traffic.bytes.values()) / matrix.nbytes
        found[name] = Way(off, largest, sum(traffic.calls.values()), sent)

    with Traffic() as traffic:
        update = orthogonalise_whole(split, *constants)
    add("gathered", own(update), traffic)
    with Traffic() as traffic:
        update = orthogonalise(split, *constants)
    add("each product over all", own(update), traffic)
    weight = torch.nn.Parameter(torch.zeros_like(split))
    weight.grad = split
    with Traffic() as traffic:
        optim.Muon([weight], lr=1.0, momentum=0.0, nesterov=False, weight_decay=0.0).step()
    scale = max(1.0, config.rows / config.columns) ** 0.5
    add("PyTorch's Muon, bfloat16", -own(weight).detach() / scale, traffic)
    with Traffic() as traffic:
        update = orthogonalise(shard, *constants)
    add("shards alone", update, traffic)
    return found


@dataclass(frozen=True)
class Results:
    ways: dict[str, dict[str, Way]]  # by processes and way


def main(config: Config) -> Results:
    ways = {}
    for processes in config.processes:
        ways[str(processes)] = on_processes(processes, three_ways, config)[0]
        for name, way in ways[str(processes)].items():
            print(f"{processes} processes, {name}: {way}")
    return Results(ways)


if __name__ == "__main__":
    run(main, Config, presets=PRESETS, tolerance={"*off": Tolerance(relative=1e-4, absolute=1e-9)})
