"""How much of a gradient arrives after so many steps back? RNN and LSTM before any training.

    uv run sprints/18_sequence_models/gradients_over_time.py
    uv run sprints/18_sequence_models/gradients_over_time.py --steps-back 200 --hidden 64

A random direction of the last state is walked back, and its length is measured at each earlier state, as a share of the
length at the end. Inputs are normal noise. Theory: notes/02_gradients_through_time.md and notes/03_gates.md
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from shared.checks.intervals import mean_interval
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.recurrent import STEPS, Kind, Recurrent
from shared.nn.sequence_model import State


@dataclass(frozen=True)
class Config(ScriptConfig):
    hidden: PositiveInt = 32  # numbers of the hidden state
    steps_back: PositiveInt = 100  # tokens
    batch: PositiveInt = 8  # rows of a network
    networks: PositiveInt = 5  # networks of each kind, with seeds from --seed on


@dataclass(frozen=True)
class Results:
    back: list[int]
    log10_shares: dict[str, list[float]]
    halves: dict[str, list[float | None]]
    per_step: dict[str, float]
    eigenvalue: dict[str, float]


Read = Callable[[Tensor, State], State]  # from an input (batch, hidden) and a state to the next state


def linear(radius: float, hidden: int) -> tuple[Read, int, float]:
    """Return h' = x + U h with a U whose largest eigenvalue has this size."""
    matrix = torch.randn(hidden, hidden, dtype=torch.float64)
    matrix *= radius / largest_eigenvalue(matrix)
    return (lambda x, state: (x + state[0] @ matrix.T,)), 1, largest_eigenvalue(matrix)


def network(kind: Kind, hidden: int, radius: float | None = None, forget_bias: float | None = None) -> tuple:
    """Return one step of a network, and the parts of its state; `radius` scales the recurrent matrix of an RNN."""
    layer = Recurrent(kind, hidden, hidden).double()
    if forget_bias is not None:
        layer.set_forget_bias(forget_bias)
    weight, matrix, bias, second_bias = layer.weights(0)
    if radius is not None:
        matrix.data *= radius / largest_eigenvalue(matrix)
    size = largest_eigenvalue(matrix) if kind == "rnn" else float("nan")

    def read(x: Tensor, state: State) -> State:
        return STEPS[kind](functional.linear(x, weight, bias), state, matrix, second_bias)

    return read, 2 if kind == "lstm" else 1, size


@torch.no_grad()
def largest_eigenvalue(matrix: Tensor) -> float:
    """Return the size of the largest eigenvalue."""
    return torch.linalg.eigvals(matrix).abs().max().item()


def shares(read: Read, parts: int, config: Config) -> list[float]:
    """Return log10 of the length of a gradient at each state, by how many steps back, as a share of that at the end."""
    state: State = tuple(torch.zeros(config.batch, config.hidden, dtype=torch.float64) for _ in range(parts))
    states = []
    for _ in range(config.steps_back + 1):
        x = torch.randn(config.batch, config.hidden, dtype=torch.float64)
        state = tuple(part.requires_grad_() for part in read(x, state))
        states.append(state)
    direction = [torch.randn_like(part) for part in state]
    flat = [part for state in states for part in state]
    loss = torch.stack([(part * way).sum() for part, way in zip(state, direction, strict=True)]).sum()
    gradients = torch.autograd.grad(loss, flat, allow_unused=True)
    lengths = []
    for place in range(len(states)):
        here = [part for part in gradients[place * parts : (place + 1) * parts] if part is not None]
        lengths.append(torch.cat(here, dim=-1).norm(dim=-1))  # (batch,)
    return [(length / lengths[-1]).log10().mean().item() for length in reversed(lengths)]


def main(config: Config) -> Results:
    kinds: dict[str, Callable[[], tuple]] = {
        "linear, eigenvalue 0.9": lambda: linear(0.9, config.hidden),
        "linear, eigenvalue 1.1": lambda: linear(1.1, config.hidden),
        "RNN, PyTorch's start": lambda: network("rnn", config.hidden),
        "RNN, eigenvalue 1.5": lambda: network("rnn", config.hidden, radius=1.5),
        "LSTM, forget bias 0": lambda: network("lstm", config.hidden, forget_bias=0.0),
        "LSTM, forget bias 1": lambda: network("lstm", config.hidden, forget_bias=1.0),
        "LSTM, forget bias 4": lambda: network("lstm", config.hidden, forget_bias=4.0),
    }
    means: dict[str, list[float]] = {}
    halves: dict[str, list[float | None]] = {}
    eigenvalues: dict[str, float] = {}
    for name, make in kinds.items():
        curves, sizes = [], []
        for index in range(config.networks):
            torch.manual_seed(config.seed + index)
            read, parts, size = make()
            curves.append(shares(read, parts, config))
            sizes.append(size)
        intervals = [mean_interval([curve[back] for curve in curves]) for back in range(config.steps_back + 1)]
        means[name], halves[name] = [mean for mean, _ in intervals], [half for _, half in intervals]
        if "LSTM" not in name:
            eigenvalues[name] = sum(sizes) / len(sizes)
    per_step = {name: 10 ** (curve[-1] / config.steps_back) for name, curve in means.items()}
    for name, factor in per_step.items():
        print(f"{name:<26}{factor:.3f} per step, 10^{means[name][-1]:.1f} after {config.steps_back}", end="")
        print(f", largest eigenvalue {eigenvalues[name]:.3f}" if name in eigenvalues else "")
    return Results(list(range(config.steps_back + 1)), means, halves, per_step, eigenvalues)


def plot(results: Results) -> Figure:
    """Draw the shares by steps back, with intervals over networks."""
    figure, axes = new_figure(8.4, 4.6)
    heights, names = [], []
    for index, (name, curve) in enumerate(results.log10_shares.items()):
        colour, style = f"C{(0, 0, 3, 3, 2, 2, 2)[index]}", (":", "-", "-", ":", ":", "--", "-")[index]
        axes.plot(results.back, curve, color=colour, linestyle=style)
        halves = [half or 0.0 for half in results.halves[name]]
        low, high = ([m + sign * h for m, h in zip(curve, halves, strict=True)] for sign in (-1, 1))
        axes.fill_between(results.back, low, high, color=colour, alpha=0.2, linewidth=0)
        heights.append(curve[-1])
        names.append((name, colour))
    room, lowest = 0.06 * (max(heights) - min(heights)), -math.inf
    for height, (name, colour) in sorted(zip(heights, names, strict=True)):
        lowest = max(height, lowest + room)  # names must not lie on each other
        axes.text(results.back[-1] * 1.01, lowest, name, color=colour, va="center", fontsize=9)
    axes.set(xlabel="steps back", ylabel="log10 of the share of the gradient", xlim=(0, results.back[-1] * 1.32))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
