"""Which rule punishes repetition: CTRL's, transformers', or a subtraction? Three tokens, every number.

    uv run sprints/10_pretrained_generation_demo/penalties.py
    uv run sprints/10_pretrained_generation_demo/penalties.py --penalty 1.2 --shift -10

The text contains *soup* and *stew*. The same probabilities are written as two rows of logits, the second one shifted by
a number: no model could tell them apart, but two of the three rules do. Theory: notes/03_the_repetition_penalty.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from decoding_demo.repetition import divide, push_down, subtract
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run

TOKENS, LOGITS, SAID = ("pie", "soup", "stew"), (2.0, 1.0, -1.0), (1, 2)
RULES = {"CTRL: divide": divide, "transformers: push down": push_down, "subtract": subtract}


@dataclass(frozen=True)
class Config(ScriptConfig):
    penalty: PositiveFloat = 2.0  # the factor of the first two rules, and what the third one subtracts
    shift: float = -3.0  # is added to every logit of the second row, which leaves its probabilities as they are


@dataclass(frozen=True)
class Results:
    logits: dict[str, dict[str, list[float]]]
    probabilities: dict[str, dict[str, list[float]]]


def main(config: Config) -> Results:
    text = torch.tensor([SAID])  # (1, tokens): what was said
    logits: dict[str, dict[str, list[float]]] = {}
    probabilities: dict[str, dict[str, list[float]]] = {}
    for name, shift in (("logits", 0.0), (f"logits {config.shift:+g}", config.shift)):
        row = torch.tensor([LOGITS], dtype=torch.float64) + shift  # (1, vocab)
        rows = {"no penalty": row} | {rule: function(row, text, config.penalty) for rule, function in RULES.items()}
        logits[name] = {rule: values[0].tolist() for rule, values in rows.items()}
        probabilities[name] = {rule: values[0].softmax(dim=-1).tolist() for rule, values in rows.items()}
        for rule in rows:
            shown = "  ".join(
                f"{token} {logit:5.2f} {share:.3f}"
                for token, logit, share in zip(TOKENS, logits[name][rule], probabilities[name][rule], strict=True)
            )
            print(f"{name:<12}{rule:<26}{shown}")
    return Results(logits, probabilities)


def plot(results: Results) -> Figure:
    """Draw the logits and the probabilities of each rule, for both rows."""
    figure, axes = drawings.canvas(9.4, 4.6)
    for index, name in enumerate(results.logits):
        y = 4.0 - 2.25 * index
        for x, table, title in ((2.3, results.logits, name), (5.6, results.probabilities, "probabilities")):
            rows = [[f"{value:.3g}" if x < 3 else f"{value:.3f}" for value in row] for row in table[name].values()]
            strengths = None if x < 3 else [[0.08 + 0.85 * value for value in row] for row in table[name].values()]
            drawings.cells(
                axes, rows, x, y, size=0.42, colour=drawings.KEY if x < 3 else drawings.QUERY,
                strengths=strengths, row_names=list(table[name]) if x < 3 else (), column_names=TOKENS, title=title,
            )  # fmt: skip
        drawings.arrow(axes, (3.8, y - 0.84), (5.3, y - 0.84), "softmax")
        words = "the same model,\nwritten lower" if index else "soup and stew\nwere said"
        drawings.text(axes, words, 8.1, y - 0.84)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
