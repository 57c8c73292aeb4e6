"""What if padding is read like any other token? The answer to a row depends on how long its neighbours are.

    uv run sprints/18_sequence_models/padding_that_counts.py
    uv run sprints/18_sequence_models/padding_that_counts.py --padded-to 12 24 48 96

GRUs read 1 to 16 tosses of a coin of unknown bias and predict the next one, in batches padded on the right. One knows
which tokens are real; another takes padding, a row of zeros, for a token. Theory: notes/04_padding_and_documents.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from tqdm import trange

from sequences.coins import BEGIN, Tosses, draw, optimum
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.lengths import real_tokens


@dataclass(frozen=True)
class Config(ScriptConfig):
    longest: PositiveInt = 16  # most tosses of a row
    padded_to: Annotated[tuple[PositiveInt, ...], Different] = (17, 24, 32, 48)  # tokens of a row in the tests
    hidden: PositiveInt = 24  # numbers of the state
    steps: PositiveInt = 400  # optimizer steps
    batch: PositiveInt = 64  # rows of a step
    learning_rate: PositiveFloat = 5e-3  # of Adam
    test_rows: PositiveInt = 4000  # rows of a test
    seeds: PositiveInt = 5  # runs of each arm

    def check(self) -> None:
        if min(self.padded_to) <= self.longest:
            raise ValueError(
                f"rows of {self.longest + 1} tokens, with the one that begins them, must fit in --padded-to; "
                f"got {min(self.padded_to)}: widen it, or give a smaller --longest"
            )


@dataclass(frozen=True)
class Results:
    padded_to: list[int]
    losses: dict[str, list[list[float]]]
    intervals: dict[str, list[MeanInterval]]
    changed: dict[str, list[float]]
    optimum: float


def padded_rows(config: Config, width: int, rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return rows of tosses, (rows, width, features), with zeros behind their end, lengths, and next tosses."""
    tokens = draw(rows, config.longest + 1, generator)  # (rows, longest + 2): the beginning, and a toss to predict
    lengths = 1 + torch.randint(1, config.longest + 1, (rows,), generator=generator)  # with the beginning
    answers = tokens.gather(1, lengths[:, None])[:, 0]
    x = functional.one_hot(tokens[:, :-1], BEGIN + 1).float() * real_tokens(lengths, config.longest + 1).unsqueeze(-1)
    return functional.pad(x, (0, 0, 0, width - x.shape[1])), lengths, answers


def score(model: Tosses, x: Tensor, lengths: Tensor, masked: bool) -> Tensor:
    """Return the scores from the state behind the last token: the last real one, if the model knows which it is."""
    _, (state,) = model.layer(x, None, real_tokens(lengths, x.shape[1]) if masked else None)
    return model.head(state[:, -1])


def train(config: Config, masked: bool, seed: int) -> Tosses:
    """Return a trained model; its batches are padded to the longest row."""
    generator = seed_everything(seed)
    model = Tosses(config.hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    for _ in range(config.steps):
        x, lengths, answers = padded_rows(config, config.longest + 1, config.batch, generator)
        loss = functional.cross_entropy(score(model, x, lengths, masked), answers)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model


@torch.no_grad()
def measure(model: Tosses, config: Config, masked: bool, seed: int) -> list[tuple[float, float]]:
    """Return the loss, and how far the probability of heads moves on average, for the same rows padded further."""
    found, before = [], None
    for width in config.padded_to:
        x, lengths, answers = padded_rows(config, width, config.test_rows, torch.Generator().manual_seed(10_000 + seed))
        scores = score(model, x, lengths, masked)
        chances = scores.softmax(dim=-1)[:, 1]
        before = chances if before is None else before
        found.append((functional.cross_entropy(scores, answers).item(), (chances - before).abs().mean().item()))
    return found


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # matrices this small are slower on two
    # Whether each knows which tokens are real while it is trained, and when it is tested.
    arms = {
        "padding leaves the state": (True, True),
        "padding is read": (False, False),
        "trained without padding, then it is read": (True, False),
    }
    found: dict[str, list[list[tuple[float, float]]]] = {name: [] for name in arms}
    for index in trange(config.seeds, desc="seeds"):
        models = {masked: train(config, masked, config.seed + index) for masked in (True, False)}
        for name, (masked, then) in arms.items():
            found[name].append(measure(models[masked], config, then, config.seed + index))
    widths = range(len(config.padded_to))
    losses = {name: [[run[place][0] for run in runs] for place in widths] for name, runs in found.items()}
    changed = {
        name: [sum(run[place][1] for run in runs) / len(runs) for place in widths] for name, runs in found.items()
    }
    intervals = {name: [mean_interval(values) for values in rows] for name, rows in losses.items()}
    best = optimum(config.longest + 1)[1:]  # behind 1, 2, ... tosses
    print(f"optimum {sum(best) / len(best):.4f}")
    for name, rows in intervals.items():
        pairs = zip(config.padded_to, rows, strict=True)
        print(f"{name}: {', '.join(f'{width} tokens {mean:.3f}' for width, (mean, _) in pairs)}; ", end="")
        print(f"heads move by {', '.join(f'{moved:.3f}' for moved in changed[name])}")
    return Results(list(config.padded_to), losses, intervals, changed, sum(best) / len(best))


def plot(results: Results) -> Figure:
    """Draw the loss by the width of the batch, with intervals over seeds."""
    figure, axes = new_figure(7.6, 4.0)
    for index, (name, rows) in enumerate(results.intervals.items()):
        means, halves = [mean for mean, _ in rows], [half for _, half in rows]
        places = [width + 0.5 * (index - 1) for width in results.padded_to]  # side by side
        axes.errorbar(places, means, yerr=error_bars(halves), color=f"C{index}", marker="o", capsize=3)
        words = name.replace(", then", ",\nthen")
        axes.text(results.padded_to[-1] + 1.5, means[-1], words, color=f"C{index}", va="bottom")
    axes.axhline(results.optimum, color="grey", linestyle=":")
    axes.text(results.padded_to[0] - 3.5, results.optimum - 0.01, "optimum", color="grey", va="top")
    axes.set(xlabel="tokens of a row, padding included", ylabel="loss (nats)")
    axes.set_xlim(results.padded_to[0] - 4, results.padded_to[-1] * 1.35)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED})
