"""What do gates do? An RNN, a GRU and an LSTM of one number each are told to keep one of four inputs.

    uv run sprints/18_sequence_models/gates_by_hand.py
    uv run sprints/18_sequence_models/gates_by_hand.py --values 0.8 -0.5 0.9 0.6 --store 0 1 0 0

Each token has two features, a value and a flag that says "store this". The weights are chosen by hand: a flag opens the
gate for what is new and shuts the one for what is old. Theory: notes/03_gates.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.nn.recurrent import gru_step, lstm_step, rnn_step

WIDE = 5.0  # sigmoid(5) = 0.993: nearly open; sigmoid(-5) = 0.007: nearly shut


@dataclass(frozen=True)
class Config(ScriptConfig):
    values: tuple[float, ...] = (0.8, -0.5, 0.3, -0.6)  # the first feature of each token
    store: tuple[int, ...] = (1, 0, 0, 0)  # the second one: 1 for "store this"

    def check(self) -> None:
        if len(self.values) != len(self.store) or len(self.values) > 8:
            raise ValueError(
                "each of at most 8 --values needs its --store; "
                f"got {len(self.values)} and {len(self.store)}: give as many of both"
            )


@dataclass(frozen=True)
class Results:
    values: list[float]
    store: list[int]
    input_gate: list[float]
    forget_gate: list[float]
    candidate: list[float]
    cell: list[float]
    lstm: list[float]
    gru: list[float]
    rnn: list[float]
    largest_difference: float


def sigmoid(number: float) -> float:
    """Return 1 / (1 + e^-number)."""
    return 1 / (1 + math.exp(-number))


def main(config: Config) -> Results:
    gates: dict[str, list[float]] = {"input": [], "forget": [], "candidate": []}
    cells, lstm, gru, rnn = [], [], [], []
    cell = hidden_gru = hidden_rnn = 0.0
    for value, flag in zip(config.values, config.store, strict=True):
        gate = WIDE * (2 * flag - 1)  # 5 with the flag, -5 without
        take, keep, new = sigmoid(gate), sigmoid(-gate), math.tanh(value)
        cell = keep * cell + take * new
        hidden_gru = (1 - keep) * new + keep * hidden_gru  # one gate for both
        hidden_rnn = math.tanh(value + 0.5 * hidden_rnn)  # no gate at all
        for name, number in (("input", take), ("forget", keep), ("candidate", new)):
            gates[name].append(number)
        cells.append(cell)
        lstm.append(sigmoid(WIDE) * math.tanh(cell))  # the output gate is open
        gru.append(hidden_gru)
        rnn.append(hidden_rnn)
        print(f"value {value:4}, flag {flag}: input gate {take:.3f}, forget gate {keep:.3f}, cell {cell:.3f}, ", end="")
        print(f"LSTM {lstm[-1]:.3f}, GRU {gru[-1]:.3f}, RNN {rnn[-1]:.3f}")
    theirs = by_the_steps(config)
    ours = torch.tensor([lstm, gru, rnn], dtype=torch.float64)
    return Results(
        list(config.values), list(config.store), *gates.values(), cells, lstm, gru, rnn,
        (ours - theirs).abs().max().item(),
    )  # fmt: skip


def by_the_steps(config: Config) -> Tensor:
    """Return the hidden states of LSTM, GRU and RNN as `shared/nn/recurrent.py` computes them, (3, tokens)."""

    def rows(*numbers: float) -> Tensor:
        return torch.tensor([numbers], dtype=torch.float64)

    lstm, gru, rnn = (rows(0.0), rows(0.0)), (rows(0.0),), (rows(0.0),)
    hidden = []
    for value, flag in zip(config.values, config.store, strict=True):
        gate = WIDE * (2 * flag - 1)
        nothing, none = torch.zeros(4, 1, dtype=torch.float64), torch.zeros(4, dtype=torch.float64)
        lstm = lstm_step(rows(gate, -gate, value, WIDE), lstm, nothing, none)  # input, forget, candidate, output
        gru = gru_step(rows(0.0, -gate, value), gru, nothing[:3], none[:3])  # reset, update, candidate
        rnn = rnn_step(rows(value), rnn, torch.tensor([[0.5]], dtype=torch.float64), none[:1])
        hidden.append(torch.cat([lstm[0], gru[0], rnn[0]]))
    return torch.cat(hidden, dim=1)


def plot(results: Results) -> Figure:
    """Draw the gates as cells from left to right, and what each network holds."""
    count = len(results.values)
    figure, axes = drawings.canvas(2.6 + 1.0 * count, 6.0)
    names = [f"token {index + 1}" for index in range(count)]
    blocks = (
        (("value", results.values), ("flag", results.store), drawings.KEY),
        (("input gate", results.input_gate), ("forget gate", results.forget_gate), drawings.QUERY),
        (("candidate", results.candidate), ("cell", results.cell), drawings.VALUE),
        (("LSTM", results.lstm), ("GRU", results.gru), drawings.MIXED),
        (("RNN", results.rnn), None, drawings.MIXED),
    )
    top = 5.6
    for first, second, colour in blocks:
        for row in (first, second):
            if row is None:
                continue
            gates = "gate" in row[0]
            for index, number in enumerate(row[1]):
                drawings.cells(
                    axes, [[round(number, 3)]], 1.9 + 1.0 * index, top, colour=colour, size=0.52,
                    strengths=[[0.1 + 0.5 * number]] if gates else None,
                    column_names=[names[index]] if top > 5.5 else (),
                )  # fmt: skip
            drawings.text(axes, row[0], 1.7, top - 0.26, align="right")
            top -= 0.56
        top -= 0.06
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
