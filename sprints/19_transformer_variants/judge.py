"""How near does a trained judge come to the best possible one, and what does a better generator leave it to see?

    uv run sprints/19_transformer_variants/judge.py
    uv run sprints/19_transformer_variants/judge.py --preset full
    uv run sprints/19_transformer_variants/judge.py --steps 300

Two generators: one writes each word by its probability given all words that were left, the other by how often it stands
at this place. For every text that a judge sees, the best possible answer is computed. By default one judge of each
generator is trained for 1,200 steps with one rate: before the exact one it has hardly learnt to look by then.
`--preset full` trains five for 1,500 steps, after the same search for their rate. Theory: notes/07_the_judge.md
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, OpenFraction, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.bert import BertConfig
from shared.nn.electra import ReplacedTokenDetector
from variants.judge import Forger, judge_nats
from variants.small_grammar import small_recipes
from variants.trials import fit, search_and_repeat

Arm = Literal["exact", "by_place"]

PRESETS = {"full": {"steps": 1500, "rates": (3e-3, 1e-2, 3e-2), "seeds": 5}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    arms: Annotated[tuple[Arm, ...], Different] = ("exact", "by_place")  # generators
    eligible: OpenFraction = 0.15  # probability that a place is given to the generator
    layers: PositiveInt = 2  # blocks of the judge
    heads: PositiveInt = 4  # heads of a block
    d_model: PositiveInt = 32  # features of a word
    steps: PositiveInt = 1200  # optimizer steps
    batch_size: PositiveInt = 64  # texts of a batch
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (3e-3,)  # learning rates that are tried
    texts: PositiveInt = 1000  # new forged texts that are judged
    seeds: PositiveInt = 1  # judges of each generator

    def check(self) -> None:
        check_heads(self.d_model, self.heads)


@dataclass(frozen=True)
class Judged:
    """Mean losses of one judge, in nats per word, on the same forged texts: its own, the least, and by place alone."""

    loss: float
    optimum: float
    without_looking: float
    replaced: float
    best_accuracy: float
    surest: float


@dataclass(frozen=True)
class Court:
    """The judges of one generator."""

    rate: float
    searched: dict[str, float]
    loss: MeanInterval
    optimum: MeanInterval
    above: MeanInterval
    without_looking: float
    replaced: float
    best_accuracy: float
    surest: float


@dataclass(frozen=True)
class Results:
    courts: dict[str, Court]


Forged = tuple[Tensor, Tensor]  # (batch, places): words, and where one was replaced


def judge_loss(model: nn.Module, batch: Forged) -> tuple[Tensor, int]:
    """Return the summed binary cross-entropy over all words, and their number."""
    forged, replaced = batch
    loss = functional.binary_cross_entropy_with_logits(model(forged), replaced.float(), reduction="sum")
    return loss, replaced.numel()


def run_once(config: Config, arm: Arm, rate: float, seed: int) -> Judged:
    """Train one judge, and measure it and the best possible one on the same new texts."""
    generator, table = seed_everything(seed), small_recipes()
    forger = Forger(table, config.eligible, exact=arm == "exact")
    size = (len(table.words), table.rows.shape[1], config.layers, config.heads, config.d_model)
    model = ReplacedTokenDetector(BertConfig(*size, segments=1), generator)

    def batches() -> Iterator[Forged]:
        while True:
            yield forger.forge(table.draw(config.batch_size, generator), generator)

    for _ in tqdm(fit(model, batches(), judge_loss, config.steps, rate), total=config.steps, desc=arm):
        pass
    fresh = torch.Generator().manual_seed(seed + 1)
    forged, replaced = forger.forge(table.draw(config.texts, fresh), fresh)
    best, model = forger.optimal(forged), model.eval()
    with torch.no_grad():
        said = model(forged).double().sigmoid()
    # A judge that does not look knows the place: most places hold one word in all texts and are never replaced.
    by_place = replaced.double().mean(dim=0).expand_as(said)
    losses = [judge_nats(answer, replaced).mean().item() for answer in (said, best, by_place)]
    accuracy = ((best > 0.5) == replaced).double().mean().item()
    return Judged(*losses, replaced.double().mean().item(), accuracy, best.max().item())


def compare(config: Config, arm: Arm) -> Court:
    """Search the rate for a generator, train judges with each seed, and put their figures together."""
    trials = search_and_repeat(
        partial(run_once, config, arm), lambda judged: judged.loss, config.rates, config.seeds, config.seed
    )
    runs = trials.runs

    def mean(name: str) -> MeanInterval:
        return mean_interval([vars(judged)[name] for judged in runs])

    above = mean_interval([judged.loss - judged.optimum for judged in runs])
    shares = (mean(name)[0] for name in ("without_looking", "replaced", "best_accuracy", "surest"))
    return Court(trials.rate, trials.searched, mean("loss"), mean("optimum"), above, *shares)


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # tensors this small are slower on two
    courts = {}
    for arm in config.arms:
        courts[arm] = court = compare(config, arm)
        print(f"{arm}: judge {court.loss[0]:.4f}, best possible {court.optimum[0]:.4f}, ", end="")
        print(f"without looking {court.without_looking:.4f} nats per word")
        print(f"  replaced {court.replaced:.2%}; accuracy of the best {court.best_accuracy:.2%}")
    return Results(courts)


def plot(results: Results) -> Figure:
    """Draw for each generator the loss of the trained judges, of the best possible and of one that does not look."""
    figure, axes = new_figure(7.2, 3.4)
    for index, court in enumerate(results.courts.values()):
        values = {"without looking": court.without_looking, "trained": court.loss[0], "optimum": court.optimum[0]}
        for bar, (name, value) in enumerate(values.items()):
            half = error_bars([court.loss[1] if name == "trained" else None])
            place = index + 0.26 * (bar - 1)
            axes.barh(place, value, 0.24, xerr=half, color=f"C{bar}", capsize=3)
            axes.text(value + 0.004, place, f"{name} {value:.3f}", va="center", fontsize=9)
    names = {"exact": "exact generator", "by_place": "by place alone"}
    axes.set_yticks(range(len(results.courts)), [names[arm] for arm in results.courts])
    axes.invert_yaxis()
    largest = max(court.without_looking for court in results.courts.values())
    axes.set(xlabel="binary cross-entropy, nats per word", xlim=(0, 1.45 * largest))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"courts.*": TRAINED})
