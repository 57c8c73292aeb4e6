"""What does each method train? The shipped model with its parameters counted, frozen ones grey.

    uv run sprints/13_peft_lora/what_is_trained.py
    uv run sprints/13_peft_lora/what_is_trained.py --d-model 768 --layers 12 --vocab-size 50257

Theory: notes/04_beside_full_fine_tuning.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

TRAINED = COLOURS[3]


@dataclass(frozen=True)
class Config(ScriptConfig):
    d_model: PositiveInt = 192  # features of a token
    layers: PositiveInt = 4  # blocks
    vocab_size: PositiveInt = 2048  # tokens of the vocabulary
    positions: PositiveInt = 256  # tokens that the model can look at
    rank: PositiveInt = 2  # rank of LoRA on the linear layers


@dataclass(frozen=True)
class Results:
    parameters: int
    trained: dict[str, int]
    shares: dict[str, float]


def main(config: Config) -> Results:
    d = config.d_model
    embedding = config.vocab_size * d
    # Of a block: four matrices, their biases, and gains and biases of two norms; then the positions and the last norm.
    parameters = embedding + config.layers * (12 * d * d + 13 * d) + config.positions * d + 2 * d
    trained = {
        "full": parameters,
        "lora": config.layers * 16 * config.rank * d,
        "head": embedding,  # a copy of the embedding, which is frozen
        "embedding": embedding,
    }
    shares = {name: count / parameters for name, count in trained.items()}
    for name, count in trained.items():
        print(f"{name:9s} trains {count:11,} of {parameters:,}: {shares[name]:.2%}")
    return Results(parameters, trained, shares)


def plot(results: Results) -> Figure:
    """Draw embedding, blocks and head of each method, with what is trained in orange."""
    figure, axes = drawings.canvas(9.2, 4.3)
    parts: dict[str, tuple[str | None, str | None, str]] = {
        "full": ("all", "all", "tied"), "lora": (None, "a, b", "tied"), "head": (None, None, "own"),
        "embedding": ("all", None, "tied"),
    }  # fmt: skip
    words = {"all": "trained", "a, b": "frozen", None: "frozen", "tied": "the embedding\nonce more", "own": "trained"}
    for row, (name, (embedding, blocks, head)) in enumerate(parts.items()):
        y = 3.25 - row * 1.05
        drawings.text(axes, name, 1.0, y + 0.38, align="right", bold=True)
        colours = [
            TRAINED if embedding else drawings.TOKEN,
            TRAINED if blocks == "all" else drawings.TOKEN,
            TRAINED if head == "own" or embedding else drawings.TOKEN,
        ]
        drawings.box(axes, f"embedding\n{words[embedding]}", 1.2, y, 1.6, 0.76, colours[0])
        drawings.arrow(axes, (2.85, y + 0.38), (3.15, y + 0.38))
        low_rank = blocks == "a, b"
        drawings.box(axes, "", 3.2, y, 1.6, 0.76, colours[1])
        drawings.text(axes, f"blocks\n{words[blocks]}", 3.65 if low_rank else 4.0, y + 0.38)
        if low_rank:
            drawings.box(axes, "A, B", 4.15, y + 0.08, 0.55, 0.6, TRAINED)
        drawings.arrow(axes, (4.85, y + 0.38), (5.15, y + 0.38))
        drawings.box(axes, words[head] if head == "tied" else f"head\n{words[head]}", 5.2, y, 1.6, 0.76, colours[2])
        drawings.text(axes, f"{results.trained[name]:,}  ({results.shares[name]:.1%})", 7.0, y + 0.38, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
