"""How fast is an LSTM from scratch beside `nn.LSTM`, and what makes the difference?

    uv run sprints/18_sequence_models/lstm_speed.py
    uv run sprints/18_sequence_models/lstm_speed.py --widths 32 64 --rounds 9

Forward and backward, three ways: each token multiplied by itself, all tokens in one product, and PyTorch's kernel.
Times are taken in turns. Theory: notes/03_gates.md
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile
from tqdm import trange

from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.ranges import Different, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.recurrent import Recurrent, lstm_step
from shared.nn.recurrent_kernels import FusedRecurrent


@dataclass(frozen=True)
class Config(ScriptConfig):
    widths: Annotated[tuple[PositiveInt, ...], Different] = (64, 128, 256)  # features of a token and of the state
    tokens: PositiveInt = 128  # of a row
    batch: PositiveInt = 32  # rows
    rounds: PositiveInt = 5  # timings of each way, in turns


@dataclass(frozen=True)
class Way:
    """Median seconds of forward and backward, ratios to the kernel's turn by turn, and operations of forward."""

    seconds: float
    times_the_kernel: list[float]
    median_times_the_kernel: float
    operations: int


@dataclass(frozen=True)
class Results:
    ways: dict[str, dict[str, Way]]
    largest_difference: float


def token_by_token(layer: Recurrent, x: Tensor) -> Tensor:
    """Return the hidden states; the input of each token is multiplied when its turn comes."""
    weight, recurrent, bias, second_bias = layer.weights(0)
    hidden, cell = (part[:, 0] for part in layer.start(x))
    outputs = []
    for token in x.unbind(dim=1):
        hidden, cell = lstm_step(functional.linear(token, weight, bias), (hidden, cell), recurrent, second_bias)
        outputs.append(hidden)
    return torch.stack(outputs, dim=1)


def operations(way: Callable[[], Tensor]) -> int:
    """Return how many operations PyTorch starts forward."""
    with profile(activities=[ProfilerActivity.CPU]) as report, torch.no_grad():
        way()
    return sum(event.count for event in report.key_averages() if event.key.startswith("aten::"))


def main(config: Config) -> Results:
    seed_everything(config.seed)
    found: dict[str, dict[str, Way]] = {}
    difference = 0.0
    for width in config.widths:
        ours, kernel = Recurrent("lstm", width, width), FusedRecurrent("lstm", width, width)
        kernel.load_state_dict(ours.state_dict())
        x = torch.randn(config.batch, config.tokens, width)
        ways: dict[str, Callable[[], Tensor]] = {
            "token by token": lambda layer=ours, x=x: token_by_token(layer, x),
            "inputs in one product, ours": lambda layer=ours, x=x: layer(x)[0],
            "PyTorch's kernel": lambda layer=kernel, x=x: layer(x)[0],
        }
        outputs = [way() for way in ways.values()]
        difference = max(difference, *((output - outputs[-1]).abs().max().item() for output in outputs))
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in trange(config.rounds, desc=f"width {width}"):
            for name, way in ways.items():
                start = time.perf_counter()
                way().sum().backward()
                seconds[name].append(time.perf_counter() - start)
        found[str(width)] = {}
        for name, way in ways.items():
            ratios = [own / base for own, base in zip(seconds[name], seconds["PyTorch's kernel"], strict=True)]
            row = Way(statistics.median(seconds[name]), ratios, statistics.median(ratios), operations(way))
            found[str(width)][name] = row
            print(
                f"width {width}, {name:<28}{1000 * row.seconds:7.1f} ms, {row.median_times_the_kernel:.2f} x kernel, ",
                end="",
            )
            print(f"{row.operations} operations")
    return Results(found, difference)


if __name__ == "__main__":
    run(main, Config, tolerance={"ways.*": TIMING})
