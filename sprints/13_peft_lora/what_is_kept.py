"""Which inputs of linear layers does a step keep for the backward pass? One block of GPT-2, counted.

    uv run sprints/13_peft_lora/what_is_kept.py
    uv run sprints/13_peft_lora/what_is_kept.py --d-model 192 --layers 4 --tokens 400

A linear layer needs its input for the gradient of its weight, or for that of A. Norms, attention and GELU need what
went in for the gradient that travels on. Theory: notes/03_what_it_saves.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

PARTS = ("norm", "c_attn", "attention", "attn.c_proj", "norm", "c_fc", "GELU", "mlp.c_proj")
WIDTHS = {"c_attn": 1, "attn.c_proj": 1, "c_fc": 1, "mlp.c_proj": 4}  # features of a layer's input, in d_model
# The layers whose weight or A is trained.
TRAINED = {"full": tuple(WIDTHS), "LoRA on c_attn": ("c_attn",), "LoRA on all": tuple(WIDTHS), "head alone": ()}
KEPT = COLOURS[5]


@dataclass(frozen=True)
class Config(ScriptConfig):
    d_model: PositiveInt = 768  # features of a token
    layers: PositiveInt = 12  # blocks
    tokens: PositiveInt = 512  # tokens of a batch


@dataclass(frozen=True)
class Results:
    """What each method keeps of the inputs of linear layers: in d_model for a token and block, and in megabytes."""

    widths: dict[str, int]
    megabytes: dict[str, float]


def main(config: Config) -> Results:
    widths = {method: sum(WIDTHS[layer] for layer in trained) for method, trained in TRAINED.items()}
    numbers = config.d_model * config.layers * config.tokens
    megabytes = {method: 4 * width * numbers / 1e6 for method, width in widths.items()}
    for method, width in widths.items():
        print(f"{method:15s} keeps {width} d numbers a token and block: {megabytes[method]:.1f} MB in float32")
    return Results(widths, megabytes)


def plot(results: Results) -> Figure:
    """Draw the parts of a block for each method; what has its input kept is blue."""
    figure, axes = drawings.canvas(10.2, 4.1)
    for column, part in enumerate(PARTS):
        if part in WIDTHS:
            width = "" if WIDTHS[part] == 1 else f"{WIDTHS[part]} "
            drawings.text(axes, f"input: {width}d", 1.86 + 0.92 * column, 3.85, size=8)
    drawings.text(axes, "linear layers keep", 9.35, 3.85, size=8)
    for row, (method, trained) in enumerate(TRAINED.items()):
        y = 2.95 - 0.82 * row
        drawings.text(axes, method, 1.3, y + 0.3, align="right", bold=True)
        for column, part in enumerate(PARTS):
            kept = part in trained or (part not in WIDTHS and bool(trained))
            x = 1.48 + 0.92 * column
            drawings.box(axes, part.replace(".", ".\n"), x, y, 0.76, 0.6, KEPT if kept else drawings.TOKEN)
            if column:
                drawings.arrow(axes, (x - 0.17, y + 0.3), (x + 0.02, y + 0.3))
        shown = f"{results.widths[method]} d" if results.widths[method] else "nothing"
        drawings.text(axes, f"{shown}, {results.megabytes[method]:.0f} MB", 9.35, y + 0.3)
    drawings.text(axes, "blue: its input is kept for the backward pass; grey: it is not", 5.1, 0.15)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
