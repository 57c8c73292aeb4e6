"""What does a training step of GPT-2 small need, counted on paper?

    uv run sprints/23_loader_memory/memory_by_hand.py
    uv run sprints/23_loader_memory/memory_by_hand.py --rows 1 --tokens 128

Weights, gradients, Adam's averages, what the blocks keep, and the logits, in float32.
Theory: notes/09_where_the_memory_goes.md
"""

from dataclasses import asdict, dataclass

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from memory_study.formula import KEPT, Needed, needed, parameters
from memory_study.ways import TITLES, WAYS
from shared.lab.config import ScriptConfig
from shared.lab.drawings import canvas, tint
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPTConfig


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: PositiveInt = 12  # blocks
    d_model: PositiveInt = 768  # features of a token
    vocab_size: PositiveInt = 50_257  # tokens of the vocabulary
    context: PositiveInt = 1024  # positions
    rows: PositiveInt = 8  # of a batch
    tokens: PositiveInt = 1024  # of a row


@dataclass(frozen=True)
class Results:
    parameters: int
    block_megabytes: float  # what a block keeps of the batch
    logits_megabytes: float  # of one tensor of logits
    ways: dict[str, Needed]
    totals_megabytes: dict[str, float]


def main(config: Config) -> Results:
    size = GPTConfig(config.vocab_size, config.context, config.layers, 12, config.d_model)
    places = config.rows * config.tokens
    ways = {
        TITLES[name]: needed(size, config.rows, config.tokens, WAYS[name]) for name in ("plain", "recomputed", "chunks")
    }
    totals = {name: found.total / 1e6 for name, found in ways.items()}
    results = Results(
        parameters(size), 4 * places * KEPT * config.d_model / 1e6, 4 * places * config.vocab_size / 1e6, ways, totals
    )
    print(f"{results.parameters:,} parameters, {16 * results.parameters / 1e6:,.0f} MB with gradients and averages")
    print(f"a block keeps {results.block_megabytes:,.1f} MB, logits are {results.logits_megabytes:,.1f} MB")
    for name, total in totals.items():
        print(f"{name}: {total:,.0f} MB")
    return results


def plot(results: Results) -> Figure:
    """Draw the plain step as boxes whose areas are what they take."""
    figure, axes = canvas(7.2, 2.5)
    parts = {name: size for name, size in asdict(results.ways["plain"]).items() if size}
    whole, left = sum(parts.values()), 0.1
    for colour, (name, size) in zip(COLOURS, parts.items(), strict=False):
        width = 7.0 * size / whole
        axes.add_patch(Rectangle((left, 0.7), width, 1.1, facecolor=tint(colour, 0.35), edgecolor=colour))
        axes.text(left + width / 2, 1.25, f"{size / 1e9:.1f}", ha="center", va="center", fontsize=9)
        label = "averages" if name == "states" else name
        axes.text(left + width / 2, 0.55, label, ha="center", va="top", fontsize=8, rotation=20 if width < 1 else 0)
        left += width
    axes.text(
        0.1,
        2.15,
        f"one step, plain: {whole / 1e9:.1f} GB where the backward pass begins (the parts in GB)",
        fontsize=10,
    )
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
