"""Is a pipeline of two processes the same training as one process, and how many outputs wait in it?

    uv run sprints/24_distributed_training/pipeline_measured.py
    uv run sprints/24_distributed_training/pipeline_measured.py --micro-batches 2 4 --rows 16

A GPT in float64, cut in two; GPipe and 1F1B, by hand and by `torch.distributed.pipelining`. The batch grows with the
number of micro-batches, whose size stays. Theory: notes/07_a_pipeline.md
"""

import gc
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.distributed.pipelining import PipelineStage, Schedule1F1B, ScheduleGPipe
from torch.nn import functional

from parallel_study.held import peak_of
from parallel_study.pipeline import Part, run_order
from parallel_study.processes import on_processes
from parallel_study.schedules import orders_of
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPT, GPTConfig
from shared.training.parallel import present

NAMES = ("GPipe", "1F1B")
LIBRARY = {"GPipe": ScheduleGPipe, "1F1B": Schedule1F1B}


@dataclass(frozen=True)
class Config(ScriptConfig):
    micro_batches: tuple[PositiveInt, ...] = (2, 4, 8, 16)  # of a batch
    rows: PositiveInt = 4  # of a micro-batch
    tokens: PositiveInt = 32  # of a row
    layers: PositiveInt = 4  # blocks of the GPT
    d_model: PositiveInt = 32  # features of a token


@dataclass(frozen=True)
class Way:
    loss_off: float  # from that of one process
    gradients_off: float  # largest difference of a number
    waiting: list[int]  # the most micro-batches that waited in each process (by hand only; 0 is not counted)
    peak: list[float]  # MB that the batch takes at most in each process, besides the weights


@dataclass(frozen=True)
class Results:
    by_number: dict[str, dict[str, Way]]  # by micro-batches and way


def fresh(config: Config) -> GPT:
    """Return the same GPT as every other process."""
    size = GPTConfig(64, config.tokens, config.layers, 4, config.d_model, dropout=0.0, tie_weights=False)
    return GPT(size, torch.Generator().manual_seed(0)).double()


def one_process(config: Config, micros: int, way: str) -> tuple[float, float, float, int, int]:
    """Do a batch as one process of the pipeline: its loss, that of one process, gradients off, waiting, peak."""
    ranks = present()
    tokens = torch.randint(64, (micros * config.rows, config.tokens + 1), generator=torch.Generator().manual_seed(1))

    def loss_of(logits: Tensor, rows: Tensor) -> Tensor:
        return functional.cross_entropy(logits.mT, rows[:, 1:], reduction="sum") / tokens[:, 1:].numel()

    whole, gpt = fresh(config), fresh(config)
    expected = loss_of(whole(tokens[:, :-1]), tokens)
    expected.backward()
    part = Part(gpt, ranks.rank, ranks.size)
    features = torch.empty(config.rows, config.tokens, config.d_model, dtype=torch.float64)
    pieces, found = tokens.chunk(micros), (0.0, 0)

    def by_hand() -> None:
        nonlocal found
        order = orders_of(way.split()[0], ranks.size, micros)[ranks.rank]
        inputs = [piece[:, :-1] for piece in pieces]
        found = run_order(part, order, ranks, inputs, lambda logits, micro: loss_of(logits, pieces[micro]), features)

    def by_library() -> None:
        nonlocal found
        stage = PipelineStage(part, ranks.rank, ranks.size, torch.device("cpu"))
        schedule = LIBRARY[way.split()[0]](stage, micros, loss_fn=loss_of, scale_grads=False)
        losses: list[Tensor] = []
        if ranks.rank == 0:
            schedule.step(tokens[:, :-1])
        else:
            schedule.step(target=tokens, losses=losses)
        found = sum(loss.item() for loss in losses), 0

    gc.collect()
    peak = peak_of(by_library if way.endswith("PyTorch") else by_hand)
    theirs = dict(whole.named_parameters())
    mine = [(theirs[name].grad, own.grad) for name, own in gpt.named_parameters() if own.grad is not None]
    off = max((right - left).abs().max().item() for left, right in mine if left is not None)
    return found[0], expected.item(), off, found[1], peak


def all_ways(config: Config) -> dict[tuple[int, str], tuple[float, float, float, int, int]]:
    """Do every way with every number of micro-batches, as one process."""
    ways = [*NAMES, *(f"{name} by PyTorch" for name in NAMES)]
    return {(micros, way): one_process(config, micros, way) for micros in config.micro_batches for way in ways}


def main(config: Config) -> Results:
    first, last = on_processes(2, all_ways, config)
    by_number: dict[str, dict[str, Way]] = {}
    for (micros, way), (loss, expected, off, waiting, peak) in last.items():
        off_first, waiting_first, peak_first = first[micros, way][2:]
        found = Way(abs(loss - expected), max(off, off_first), [waiting_first, waiting], [peak_first / 1e6, peak / 1e6])
        by_number.setdefault(str(micros), {})[way] = found
        print(f"{micros} micro-batches, {way}: {found}")
    return Results(by_number)


def plot(results: Results) -> Figure:
    """Draw the peak of process 0 by the number of micro-batches."""
    figure, axes = new_figure(6.4, 3.4)
    micros = [int(number) for number in results.by_number]
    for name, colour in zip(NAMES, COLOURS, strict=False):
        for way, line in ((name, "-"), (f"{name} by PyTorch", ":")):
            peaks = [rows[way].peak[0] for rows in results.by_number.values()]
            axes.plot(micros, peaks, line, color=colour, marker="o", markersize=4)
        axes.annotate(name, (micros[-1], peaks[-1]), (8, 0), textcoords="offset points", color=colour, va="center")
    axes.set_title("solid: by hand; dotted: by PyTorch", fontsize=10)
    axes.set(
        xlabel="micro-batches of a batch (each of the same size)", ylabel="MB at the peak, process 0", ylim=(0, None)
    )
    axes.set_xticks(micros)
    axes.set_xlim(0, 1.2 * micros[-1])
    return figure


if __name__ == "__main__":
    off = Tolerance(absolute=1e-12)
    run(main, Config, plot=plot, tolerance={"*off": off, "*peak*": Tolerance(relative=0.2)})
