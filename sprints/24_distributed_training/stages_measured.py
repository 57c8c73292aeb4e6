"""What does each process hold, and what does it send, if two or four train a GPT at each stage of sharing?

    uv run sprints/24_distributed_training/stages_measured.py
    uv run sprints/24_distributed_training/stages_measured.py --processes 2 --layers 2

Stage 0 is PyTorch's DDP (gradients beside its buckets, or within them), 1 and 2 are by hand (`SharedStates`), 3 is
PyTorch's FSDP2. All do the same steps of AdamW in float32.
Theory: notes/04_sharing_the_memory.md, notes/05_sharded_training.md
"""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import distributed, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel
from torch.optim import AdamW, Optimizer

from parallel_study.held import Held, held, peak_of
from parallel_study.processes import on_processes
from parallel_study.sharing import SharedStates
from parallel_study.stages import PRECISIONS, STAGES, shared
from parallel_study.traffic import Traffic
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPT, GPTConfig
from shared.training.parallel import spread

ONE_COPY = "0, gradients in the buckets"
WAYS = ("0", ONE_COPY, "1", "2", "3")


@dataclass(frozen=True)
class Config(ScriptConfig):
    processes: tuple[AtLeastTwo, ...] = (2, 4)  # that share
    layers: PositiveInt = 8  # blocks of the GPT
    d_model: PositiveInt = 128  # features of a token
    steps: PositiveInt = 2  # of AdamW
    repeats: PositiveInt = 3  # of each training; threads give back late at times, so the least peak counts


@dataclass(frozen=True)
class Row:
    predicted: float  # bytes for each parameter, by the formula
    weights: float  # bytes for each parameter that a process holds, before the step of the optimizer
    gradients: float
    states: float
    peak: float  # the most that all its tensors took, in bytes for each parameter (the least of the repeats)
    sent: dict[str, float]  # in a step, by kind of collective, as a share of the gradient's bytes
    calls: dict[str, int]
    loss: float  # of the last step


class Training(NamedTuple):
    """A model, the numbers that its optimizer moves, the optimizer, and what does a step."""

    model: nn.Module
    moved: list[nn.Parameter]
    optimizer: Optimizer
    step: Callable[[], None]


@dataclass(frozen=True)
class Results:
    parameters: int
    block: float  # share of the parameters in one block
    rows: dict[str, dict[str, Row]]  # by number of processes and way


def prepare(way: str, config: Config) -> Training:
    """Return a GPT and what trains it, in one of the ways."""
    size = GPTConfig(64, 16, config.layers, 4, config.d_model, dropout=0.0)
    gpt = GPT(size, torch.Generator().manual_seed(0))

    def make(weights: list[nn.Parameter]) -> AdamW:
        return AdamW(weights, lr=1e-3, foreach=False)

    if way in ("1", "2"):
        shares = SharedStates(gpt.parameters(), make, 1 if way == "1" else 2)
        return Training(gpt, shares.pieces, shares.optimizer, shares.step)
    if way == ONE_COPY:
        model: nn.Module = DistributedDataParallel(gpt, gradient_as_bucket_view=True)
    else:
        model = spread(gpt, "ddp" if way == "0" else "fsdp", torch.device("cpu"))
    optimizer = make(list(model.parameters()))

    def step() -> None:
        optimizer.step()
        optimizer.zero_grad()

    return Training(model, list(model.parameters()), optimizer, step)


def measure(way: str, config: Config, count: int) -> Row:
    """Train for some steps as one process of the group, a row of tokens each, and return what it held and sent."""
    rank, size = distributed.get_rank(), distributed.get_world_size()
    kept, traffic, last = Held(0, 0, 0), Traffic(), 0.0

    def train() -> None:
        nonlocal kept, traffic, last
        training, generator = prepare(way, config), torch.Generator().manual_seed(1)
        for _ in range(config.steps):
            tokens = torch.randint(64, (size, 9), generator=generator)[rank : rank + 1]
            with Traffic() as traffic:
                loss = functional.cross_entropy(training.model(tokens[:, :-1]).mT, tokens[:, 1:])
                loss.backward()
                kept = held(training.model, training.moved, training.optimizer)
                training.step()
            last = loss.item()
            del loss

    peaks = []
    for _ in range(config.repeats):
        gc.collect()  # what the time before has left must not be given back during this one
        peaks.append(peak_of(train))
    predicted = shared(PRECISIONS["float32"], STAGES[int(way[0])], size).total
    sent = {kind: amount / count / 4 for kind, amount in traffic.bytes.items()}
    return Row(predicted, *(amount / count for amount in kept), min(peaks) / count, sent, dict(traffic.calls), last)


def measure_all(config: Config, count: int) -> dict[str, Row]:
    """Measure all ways, one after the other, as one process of the group."""
    return {way: measure(way, config, count) for way in WAYS}


def main(config: Config) -> Results:
    gpt = GPT(GPTConfig(64, 16, config.layers, 4, config.d_model))
    count = gpt.parameter_count()
    rows = {}
    for processes in config.processes:
        rows[str(processes)] = on_processes(processes, measure_all, config, count)[0]
        for way, row in rows[str(processes)].items():
            parts = f"{row.weights:.2f} + {row.gradients:.2f} + {row.states:.2f} of {row.predicted:.2f} predicted"
            print(f"{processes} processes, stage {way}: {parts}, at most {row.peak:.2f} bytes; sent {row.sent}")
    return Results(count, sum(weight.numel() for weight in gpt.blocks[0].parameters()) / count, rows)


if __name__ == "__main__":
    run(main, Config, tolerance={"*.peak": Tolerance(relative=0.2), "*.loss": TRAINED})
