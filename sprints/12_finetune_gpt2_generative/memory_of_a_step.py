"""What does a step of fine-tuning need of the memory, and what do two remedies save?

    uv run sprints/12_finetune_gpt2_generative/memory_of_a_step.py
    uv run sprints/12_finetune_gpt2_generative/memory_of_a_step.py --rows 1 --tokens 1024

The shape is SmolLM2's; nothing is loaded. An estimate of what gradients, moments, logits and blocks take.
Theory: notes/09_a_real_model.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure
from transformers import LlamaConfig

from book_finetuning.memory_needed import StepMemory, memory_needed
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    parameters: PositiveInt = 134_515_008  # numbers in the model
    layers: PositiveInt = 30  # blocks
    width: PositiveInt = 576  # features of a token
    inner: PositiveInt = 1536  # features of the feed-forward network
    heads: PositiveInt = 9  # attention heads
    vocab_size: PositiveInt = 49_152  # tokens of the vocabulary
    rows: PositiveInt = 4  # rows of a batch
    tokens: PositiveInt = 256  # tokens of a row


@dataclass(frozen=True)
class Results:
    ways: dict[str, StepMemory]
    totals: dict[str, float]


def main(config: Config) -> Results:
    shape = LlamaConfig(
        vocab_size=config.vocab_size, hidden_size=config.width, intermediate_size=config.inner,
        num_hidden_layers=config.layers, num_attention_heads=config.heads,
    )  # fmt: skip
    half = -(-config.rows // 2)
    ways = {
        f"{config.rows} rows at once": memory_needed(shape, config.parameters, config.rows, config.tokens, False),
        f"{half} at once, accumulated": memory_needed(shape, config.parameters, half, config.tokens, False),
        "blocks computed twice": memory_needed(shape, config.parameters, config.rows, config.tokens, True),
    }
    totals = {name: needed.total for name, needed in ways.items()}
    for name, total in totals.items():
        print(f"{name}: {total:,.0f} MB, of which the blocks keep {ways[name].kept:,.0f}")
    return Results(ways, totals)


def plot(results: Results) -> Figure:
    """Draw the parts of each way on top of each other."""
    figure, axes = new_figure(7.4, 3.0)
    names = list(results.ways)
    left = [0.0] * len(names)
    for part in ("weights", "gradients", "moments", "logits", "kept"):
        widths = [vars(results.ways[name])[part] / 1000 for name in names]
        axes.barh(names, widths, left=left, label="kept by the blocks" if part == "kept" else part)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    for place, total in enumerate(left):
        axes.annotate(f"{total:.1f} GB", (total, place), xytext=(4, 0), textcoords="offset points", va="center")
    axes.invert_yaxis()
    axes.set(xlabel="GB of a training step in float32, estimated", xlim=(0, 1.15 * max(left)))
    axes.legend(ncols=5, loc="lower center", bbox_to_anchor=(0.36, 1), fontsize=8, columnspacing=1.0)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
