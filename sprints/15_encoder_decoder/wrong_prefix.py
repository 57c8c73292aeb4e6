"""What does a model do after a mistake? Forced wrong tokens, longer sequences, and sampling instead of greedy decoding.

    uv run sprints/15_encoder_decoder/wrong_prefix.py

A model that reverses, early in its training and at its end, goes on after k tokens that are wrong in one of two ways:
random symbols, or the right ones with the first left out. Theory: notes/06_after_a_mistake.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor

from seq2seq_study.exact_match import free_running
from seq2seq_study.likelihood import log_probability, small_model, train_model
from seq2seq_study.sequences import FIRST, SequencePair, Sequences, make_pair
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, NonNegativeInt, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.seq2seq import EncoderDecoder


@dataclass(frozen=True)
class Config(ScriptConfig):
    symbols: AtLeastTwo = 16  # distinct symbols
    longest: Annotated[int, Field(ge=3, le=31)] = 12  # symbols of the longest sequence in training; the shortest has 3
    longer: NonNegativeInt = 4  # symbols by which test sequences may be longer
    budgets: tuple[PositiveInt, ...] = (200, 600)  # optimizer steps: a training for each
    batch_size: PositiveInt = 64  # sequences of a batch
    learning_rate: PositiveFloat = 2e-3  # peak learning rate
    held_out: PositiveInt = 1000  # sequences of the test
    wrong: tuple[NonNegativeInt, ...] = (0, 1, 2, 4, 6)  # tokens of the prefix that are forced to be wrong

    def check(self) -> None:
        if max(self.wrong) > self.longest - 2:
            raise ValueError(f"--wrong must leave two symbols of --longest {self.longest}; got {max(self.wrong)}")
        if self.longest + self.longer > 31:
            raise ValueError(
                f"the model has room for 31 symbols; got --longest {self.longest} and --longer {self.longer}"
            )


@dataclass(frozen=True)
class BudgetScores:
    """Shares of the test: rows that are right, or places for `after_wrong` and `longer_places`."""

    exact: float
    sampled: float
    sampled_by_loss: float
    after_random: list[float]
    after_skipped: list[float]
    skipped_on: list[float]
    longer_exact: list[float]
    longer_places: list[float]


@dataclass(frozen=True)
class Results:
    models: dict[str, BudgetScores]
    wrong: list[int]
    lengths: list[int]
    chance: float
    standard_error: float


@torch.no_grad()
def continued(model: EncoderDecoder, pair: SequencePair, prefix: Tensor) -> Tensor:
    """Return the prefix (rows, tokens) and what the model says greedily after it, as wide as the targets."""
    width = pair.target.tokens.shape[1]
    decoder, tokens = model.incremental(*pair.source, width - 1), [*prefix.T]
    for position in range(width - 1):
        answer = decoder(tokens[position]).argmax(dim=-1)
        if position + 1 == len(tokens):
            tokens.append(answer)
    return torch.stack(tokens, dim=1)


def after_wrong(
    model: EncoderDecoder, pair: SequencePair, wrong: int, shift: Tensor, symbols: int
) -> tuple[float, float, float]:
    """Return the share of right places after random symbols, after a skip, and of going on with the skip.

    All rows have the greatest length. Going on with a skip means to say at each place what belongs one place later.
    """
    true = pair.target.tokens
    noise = FIRST + (true[:, 1 : wrong + 1] - FIRST + shift[:, :wrong]) % symbols
    random = continued(model, pair, torch.cat([true[:, :1], noise], dim=1))
    skip = torch.cat([true[:, :1], true[:, 2 : wrong + 2]], dim=1) if wrong else true[:, :1]
    skipped = continued(model, pair, skip)
    rest = slice(wrong + 1, -2)  # without the end, and without the place that has nothing after it
    later = slice(wrong + 2, -1)

    def share(answers: Tensor, wanted: Tensor) -> float:
        return (answers == wanted).float().mean().item()

    return (
        share(random[:, rest], true[:, rest]),
        share(skipped[:, rest], true[:, rest]),
        share(skipped[:, rest], true[:, later]),
    )


def rows_of(length: int, config: Config, generator: torch.Generator) -> SequencePair:
    """Return new rows of one length."""
    rows = FIRST + torch.randint(config.symbols, (config.held_out, length), generator=generator)
    return make_pair(rows, torch.full((config.held_out,), length))


def measure(config: Config, model: EncoderDecoder, test: SequencePair, generator: torch.Generator) -> BudgetScores:
    device = pick_device(config.device)
    full = rows_of(config.longest, config, generator).to(device)
    shift = torch.randint(1, config.symbols, (config.held_out, config.longest), generator=generator).to(device)
    random, skipped, on = zip(*(after_wrong(model, full, k, shift, config.symbols) for k in config.wrong), strict=True)
    exact, places = [], []
    for length in range(config.longest, config.longest + config.longer + 1):
        longer = rows_of(length, config, generator).to(device)
        right = continued(model, longer, longer.target.tokens[:, :1]) == longer.target.tokens
        exact.append(right.all(dim=1).float().mean().item())
        places.append(right[:, 1:].float().mean().item())
    with torch.no_grad():
        by_loss = log_probability(model, test).exp().mean().item()
    return BudgetScores(
        exact=free_running(model, test).float().mean().item(),
        sampled=free_running(model, test, temperature=1, generator=generator).float().mean().item(),
        sampled_by_loss=by_loss,
        after_random=list(random),
        after_skipped=list(skipped),
        skipped_on=list(on),
        longer_exact=exact,
        longer_places=places,
    )


def main(config: Config) -> Results:
    device = pick_device(config.device)
    models = {}
    for steps in config.budgets:
        generator = seed_everything(config.seed)
        data = Sequences(config.symbols, 3, config.longest, config.held_out, generator)
        model = small_model(FIRST + config.symbols, generator).to(device)
        batches = data.batches(config.batch_size, "reversal", device)
        train_model(model, batches, steps, config.learning_rate, f"{steps} steps")
        models[f"{steps} steps"] = scores = measure(config, model, make_pair(*data.test).to(device), generator)
        print(f"{steps} steps: exact match {scores.exact:.1%}, sampled {scores.sampled:.1%}, ", end="")
        print(f"by loss {scores.sampled_by_loss:.1%}")
        for k, random, skipped, on in zip(
            config.wrong, scores.after_random, scores.after_skipped, scores.skipped_on, strict=True
        ):
            print(f"    after {k} wrong: {random:.1%} right if random, {skipped:.1%} if skipped ({on:.1%} skip on)")
        print(
            f"    by length from {config.longest}: rows {[round(share, 3) for share in scores.longer_exact]}, ", end=""
        )
        print(f"places {[round(share, 3) for share in scores.longer_places]}")
    return Results(
        models=models,
        wrong=list(config.wrong),
        lengths=list(range(config.longest, config.longest + config.longer + 1)),
        chance=1 / config.symbols,
        standard_error=0.5 / config.held_out**0.5,
    )


def plot(results: Results) -> Figure:
    """Draw the share of right places after wrong tokens, and by length."""
    figure, axes = new_figure(10.5, 3.8, columns=2)
    for index, (name, model) in enumerate(results.models.items()):
        axes[0].plot(results.wrong, model.after_random, "o-", color=f"C{index}", label=f"{name}, random")
        axes[0].plot(results.wrong, model.after_skipped, "s--", color=f"C{index}", label=f"{name}, one skipped")
        axes[1].plot(results.lengths, model.longer_places, "o-", color=f"C{index}", label=f"{name}, places")
        axes[1].plot(results.lengths, model.longer_exact, "s--", color=f"C{index}", label=f"{name}, rows")
    axes[0].axhline(results.chance, color="black", linewidth=1, label="chance")
    axes[0].set(
        xlabel="wrong tokens before",
        ylabel="share of later places that are right",
        ylim=(0, 1.03),
        title="after a mistake (one seed)",
    )
    axes[1].set(
        xlabel="symbols of the source",
        ylabel="share that is right",
        ylim=(-0.03, 1.03),
        title="longer than in training (one seed)",
    )
    axes[1].set_xticks(results.lengths)
    axes[0].legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 0.08))
    axes[1].legend(fontsize=8)
    return figure


if __name__ == "__main__":
    # Early in a training the share of rows that are right moves fast, as does what happens where none was trained.
    run(main, Config, plot=plot, tolerance={"*": EXACT, "models.*": Tolerance(relative=0.05, absolute=0.1)})
