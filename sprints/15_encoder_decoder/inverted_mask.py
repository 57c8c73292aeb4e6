"""How can a model be 100 % right with a teacher and 0 % without? By an inverted mask, and in no other way.

    uv run sprints/15_encoder_decoder/inverted_mask.py

The same model learns reversal from the same seed, its masks upside down in no place, in one, or in all. For a causal
decoder the two figures are equal on every row, however bad it is. Theory: notes/03_the_inverted_mask.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, cast

import torch
from matplotlib.figure import Figure
from pydantic import Field

from seq2seq_study.exact_match import free_running, teacher_forced
from seq2seq_study.likelihood import small_model, train_model
from seq2seq_study.sequences import FIRST, Sequences, make_pair
from shared.checks.invariants import InvariantError, check_causality, check_source_sensitivity
from shared.lab.compare import EXACT, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.blocks import DecoderBlock, EncoderBlock
from shared.nn.inverted import invert_masks
from shared.nn.seq2seq import EncoderDecoder

PLACES: dict[str, tuple[str, ...]] = {
    "nowhere": (),
    "encoder": ("encoder",),
    "cross-attention": ("cross",),
    "decoder": ("decoder",),
    "decoder and cross-attention": ("decoder", "cross"),
    "everywhere": ("encoder", "decoder", "cross"),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    symbols: AtLeastTwo = 16  # distinct symbols
    longest: Annotated[int, Field(ge=3, le=31)] = 8  # symbols of the longest sequence; the shortest has 3
    steps: PositiveInt = 400  # optimizer steps of each training
    batch_size: PositiveInt = 64  # sequences of a batch
    learning_rate: PositiveFloat = 2e-3  # peak learning rate
    held_out: PositiveInt = 500  # sequences of the test


@dataclass(frozen=True)
class InvertedModel:
    """Losses in training, the two scores, the rows on which they differ, and what the invariants say."""

    losses: list[float]
    teacher_forced: float
    free_running: float
    disagreements: int
    causality: str
    source_sensitivity: str


@dataclass(frozen=True)
class Results:
    models: dict[str, InvertedModel]
    chance: float


def invert(model: EncoderDecoder, places: tuple[str, ...]) -> None:
    """Turn the masks of some attentions upside down: same weights, another forward."""
    encoder = [cast(EncoderBlock, block) for block in model.encoder.blocks]
    decoder = [cast(DecoderBlock, block) for block in model.decoder.blocks]
    attentions = {
        "encoder": [block.attention for block in encoder],
        "decoder": [block.self_attention for block in decoder],
        "cross": [block.cross_attention for block in decoder],
    }
    for place in places:
        for attention in attentions[place]:
            invert_masks(attention)


def verdict(check: Callable[[], None]) -> str:
    """Return "holds", or what an invariant says."""
    try:
        check()
    except InvariantError as error:
        return str(error)
    return "holds"


def train_and_test(config: Config, name: str) -> InvertedModel:
    device = pick_device(config.device)
    generator = seed_everything(config.seed)
    data = Sequences(config.symbols, 3, config.longest, config.held_out, generator)
    if not (data.test[1] == config.longest).any():
        raise ValueError(f"no test sequence has the greatest length, {config.longest}: take more --held-out")
    vocab = FIRST + config.symbols
    model = small_model(vocab, generator).to(device)
    invert(model, PLACES[name])
    losses = train_model(
        model, data.batches(config.batch_size, "reversal", device), config.steps, config.learning_rate, name
    )
    test = make_pair(*data.test).to(device)
    # Without a cache: with the mask inverted, what an earlier token sees changes with each new one.
    forced, free = teacher_forced(model, test), free_running(model, test, use_cache=False)
    # Rows of the greatest length, so that no padding is in the way.
    rows = test.source.tokens[test.source.tokens[:, -1] > 0][:4]
    full = make_pair(rows[:, :-1], torch.full((len(rows),), config.longest, device=device))

    source, mask, target = full.source.tokens, full.source.mask, full.target.tokens[:, :-1]
    return InvertedModel(
        losses=losses[:: max(1, config.steps // 100)],
        teacher_forced=forced.float().mean().item(),
        free_running=free.float().mean().item(),
        disagreements=int((forced != free).sum()),
        causality=verdict(
            lambda: check_causality(lambda target: model(source, target, mask), target, vocab_size=vocab)
        ),
        source_sensitivity=verdict(
            lambda: check_source_sensitivity(
                lambda source, target: model(source, target, mask), source, target, vocab_size=vocab
            )
        ),
    )


def main(config: Config) -> Results:
    models = {}
    for name in PLACES:
        models[name] = model = train_and_test(config, name)
        print(f"inverted {name}: {model.teacher_forced:.1%} with a teacher, {model.free_running:.1%} without, ", end="")
        print(f"{model.disagreements} of {config.held_out} rows differ, loss {model.losses[-1]:.3f}")
        print(f"    causality: {model.causality}\n    source: {model.source_sensitivity}")
    lengths = range(3, config.longest + 1)
    return Results(models, sum(config.symbols**-length for length in lengths) / len(lengths))


def plot(results: Results) -> Figure:
    """Draw the losses, and exact match with and without a teacher."""
    figure, axes = new_figure(9.6, 4.0, columns=2)
    widths = {"decoder": 6.0, "decoder and cross-attention": 3.0, "everywhere": 1.0}  # these lie on each other
    for index, (name, model) in enumerate(results.models.items()):
        steps = range(len(model.losses))
        width = widths.get(name, 1.5)
        axes[0].plot([100 * step / len(steps) for step in steps], model.losses, label=name, linewidth=width)
        axes[1].barh([index - 0.2, index + 0.2], [model.teacher_forced, model.free_running], 0.38, color=["C0", "C1"])
    axes[0].set(xlabel="training, per cent", ylabel="nats per token", title="training loss", ylim=(-0.05, 3.1))
    axes[0].legend(title="inverted", fontsize=8)
    axes[1].set_yticks(range(len(results.models)), [*results.models])
    axes[1].invert_yaxis()
    axes[1].set(xlabel="exact match", title="blue: with a teacher, orange: alone", xlim=(0, 1.02))
    return figure


if __name__ == "__main__":
    run(
        main,
        Config,
        plot=plot,
        tolerance={
            "*": TRAINED,
            "chance": EXACT,
            # A decoder that cannot see its source reads what the encoder leaves at the padding: more or less of it.
            "models.cross-attention.*": Tolerance(relative=0.05, absolute=0.1),
            "models.*.disagreements": EXACT,
        },
    )
