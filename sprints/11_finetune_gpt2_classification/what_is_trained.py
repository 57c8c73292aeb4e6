"""How much of a model is trained: the head, the head and adapters, or everything?

    uv run sprints/11_finetune_gpt2_classification/what_is_trained.py
    uv run sprints/11_finetune_gpt2_classification/what_is_trained.py --rank 32 --classes 2

Counts the weights of a Llama of SmolLM2's size from its shapes; the model itself is not needed. Memory is that of
weights, gradients and AdamW's two moments in float32; activations come on top.

Theory: notes/08_what_pretraining_buys.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run

LAYERS, D_MODEL, KEY_VALUE, HIDDEN, VOCABULARY = 30, 576, 192, 1536, 49_152
# Inputs and outputs of the linear layers of a block: query, key, value, output, gate, up, down.
LINEAR = (
    (D_MODEL, D_MODEL), (D_MODEL, KEY_VALUE), (D_MODEL, KEY_VALUE), (D_MODEL, D_MODEL),
    (D_MODEL, HIDDEN), (D_MODEL, HIDDEN), (HIDDEN, D_MODEL),
)  # fmt: skip
BYTES = 4


@dataclass(frozen=True)
class Config(ScriptConfig):
    classes: AtLeastTwo = 6  # of the head
    rank: PositiveInt = 8  # of the adapters


@dataclass(frozen=True)
class Results:
    base: int
    head: int
    adapters: int
    trained: dict[str, int]
    megabytes: dict[str, float]


def main(config: Config) -> Results:
    block = sum(inputs * outputs for inputs, outputs in LINEAR) + 2 * D_MODEL  # and the gains of two norms
    base = VOCABULARY * D_MODEL + LAYERS * block + D_MODEL
    head = config.classes * D_MODEL
    adapters = LAYERS * config.rank * sum(inputs + outputs for inputs, outputs in LINEAR)
    trained = {"frozen": head, "LoRA": head + adapters, "full": head + base}
    there = {"frozen": base + head, "LoRA": base + head + adapters, "full": base + head}
    # A weight that is trained has a gradient and two moments beside it.
    megabytes = {name: BYTES * (there[name] + 3 * count) / 1e6 for name, count in trained.items()}
    for name, count in trained.items():
        print(f"{name:<7} {count:>11,} of {there[name]:,} weights trained, {megabytes[name]:,.0f} MB")
    return Results(base, head, adapters, trained, megabytes)


def plot(results: Results) -> Figure:
    """Draw a block three times: what is grey stays, what is coloured is trained."""
    figure, axes = drawings.canvas(9.2, 3.0)
    for index, (name, count) in enumerate(results.trained.items()):
        x = 0.2 + 3.0 * index
        full = name == "full"
        drawings.text(
            axes,
            {"frozen": "frozen features", "LoRA": "LoRA", "full": "full fine-tuning"}[name],
            x + 1.2,
            2.8,
            bold=True,
        )
        drawings.box(axes, "embedding", x, 0.75, 0.75, 1.7, drawings.KEY if full else drawings.TOKEN)
        drawings.box(axes, "blocks", x + 0.85, 0.75, 0.95, 1.7, drawings.KEY if full else drawings.TOKEN)
        if name == "LoRA":
            drawings.box(axes, "B A", x + 1.1, 0.95, 0.45, 0.4, drawings.KEY)
        drawings.box(axes, "head", x + 1.9, 1.3, 0.6, 0.6, drawings.KEY)
        drawings.text(axes, f"{count:,} trained", x + 1.2, 0.45)
        drawings.text(axes, f"{results.megabytes[name]:,.0f} MB", x + 1.2, 0.15)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
