"""What is the same model asked with a teacher and without? One word, place by place.

    uv run sprints/15_encoder_decoder/teacher_and_free.py
    uv run sprints/15_encoder_decoder/teacher_and_free.py --second 0.6

The model is a table: what it thinks comes next after each beginning of the answer. It shall reverse "cab", and it is
unsure at the second place. Theory: notes/02_teacher_forcing.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from seq2seq_study.table_model import TableModel
from shared.generation.beam_search import decode
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import OpenFraction
from shared.lab.run import run

TARGET = "bac."


@dataclass(frozen=True)
class Config(ScriptConfig):
    second: OpenFraction = 0.4  # probability of the true letter at the second place; the wrong one has the rest


@dataclass(frozen=True)
class Results:
    taught_inputs: str
    taught: str
    free_inputs: str
    free: str
    probabilities: list[float]
    loss: float
    exact_if_sampled: float


def table(second: float) -> dict[str, dict[str, float]]:
    """Return what the model thinks comes next after each beginning."""
    return {
        "": {"b": 0.7, "c": 0.2, "a": 0.1},
        "b": {"a": second, "c": 1 - second},
        "ba": {"c": 0.8, ".": 0.2},
        "bac": {".": 0.9, "b": 0.1},
        "bc": {"a": 0.6, ".": 0.4},
        "bca": {".": 1.0},
    }


def main(config: Config) -> Results:
    model = TableModel("abc.", table(config.second))
    source = torch.zeros(1, 1, dtype=torch.long)  # the table is for this source alone
    target = model.read(">" + TARGET)[None]
    log_probs = model(source, target[:, :-1])[0]  # (answers, vocab): one pass
    taught = model.write(log_probs.argmax(dim=-1))
    free = model.write(decode(model, source, max_new_tokens=len(TARGET)).tokens[0])  # a pass for each token
    probabilities = log_probs.gather(1, target[0, 1:, None])[:, 0].exp().tolist()
    together = math.prod(probabilities)
    print(f"with a teacher it reads >{TARGET[:-1]} and says {taught}")
    print(f"on its own     it reads >{free[:-1]} and says {free}")
    print(f"the true tokens have {[round(p, 3) for p in probabilities]}, together {together:.4f}: ", end="")
    print(f"{-math.log(together) / len(TARGET):.3f} nats per token")
    loss = -math.log(together) / len(TARGET)
    return Results(">" + TARGET[:-1], taught, ">" + free[:-1], free, probabilities, loss, together)


def plot(results: Results) -> Figure:
    """Draw what the decoder reads and what it says, with a teacher on the left and alone on the right."""
    figure, axes = drawings.canvas(9.6, 3.0)
    size = 0.55
    for x, title, inputs, said in (
        (1.3, "with a teacher: all at once", results.taught_inputs, results.taught),
        (6.3, "on its own: one after the other", results.free_inputs, results.free),
    ):
        drawings.text(axes, title, x + 2 * size, 2.8, bold=True)
        drawings.cells(axes, [list(inputs[:1])], x, 1.15, size=size, row_names=["reads"])
        colour = drawings.MIXED if inputs is results.free_inputs else drawings.TOKEN
        drawings.cells(axes, [list(inputs[1:])], x + size, 1.15, size=size, colour=colour)
        right = [[0.6 if mine == true else 0.1 for mine, true in zip(said, TARGET, strict=False)]]
        drawings.cells(
            axes, [list(said)], x, 2.35, size=size, colour=drawings.VALUE, strengths=right, row_names=["says"]
        )
        drawings.cells(axes, [list(TARGET)], x, 0.55, size=size, row_names=["true"])
        for place in range(len(said)):
            drawings.arrow(axes, (x + (place + 0.5) * size, 1.17), (x + (place + 0.5) * size, 1.78))
            if inputs is results.free_inputs and place + 1 < len(said):
                drawings.arrow(axes, (x + (place + 0.6) * size, 1.8), (x + (place + 1.35) * size, 1.17))
    drawings.text(axes, "pale: wrong", 4.9, 2.07)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
