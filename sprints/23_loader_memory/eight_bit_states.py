"""Does training suffer if the optimizer's averages have 8 bits a number, and does it matter which 256 values there are?

    uv run sprints/23_loader_memory/eight_bit_states.py
    uv run sprints/23_loader_memory/eight_bit_states.py --preset full

A small GPT learns recipes with each optimizer. Each tries the same number of rates on validation recipes, with a seed
of its own, and then runs with every seed. Without options each has one run at the rate that was best of four in
`--preset full`, which has five. Theory: notes/10_what_each_saves.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure
from torch.optim import Optimizer
from tqdm import tqdm

from memory_study.eight_bit_adam import AdamW8Bit, Blockwise, linear_code
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPT, GPTConfig
from shared.text.corpora import CookbookCorpus, cookbook_tokenizer
from shared.training.loop import NonFiniteTraining, train_steps
from shared.training.losses import evaluate_loss, language_model_loss
from shared.training.schedules import warmup_linear

Name = Literal["adamw", "eight_bit", "even_steps", "sgd"]
ADAM = {"betas": (0.9, 0.95), "weight_decay": 0.0}
MAKE: dict[Name, Callable[..., Optimizer]] = {
    "adamw": partial(torch.optim.AdamW, **ADAM),
    "eight_bit": partial(AdamW8Bit, **ADAM),
    "even_steps": partial(AdamW8Bit, code=linear_code, **ADAM),
    "sgd": partial(torch.optim.SGD, momentum=0.0),
}
TITLES = {"adamw": "AdamW, float32", "eight_bit": "8 bits, dynamic", "even_steps": "8 bits, even steps", "sgd": "SGD"}
SEARCH_SEED = 1000  # of a search: none of the reported runs has it
PRESETS = {
    "full": {
        "rates": (1e-3, 3e-3, 1e-2, 3e-2), "even_rates": (1e-5, 1e-4, 1e-3, 1e-2), "sgd_rates": (0.1, 0.3, 1.0, 3.0),
        "seeds": 5,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    optimizers: Annotated[tuple[Name, ...], Different] = tuple(MAKE)  # what is compared
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (1e-2,)  # that both good ones try
    even_rates: Annotated[tuple[PositiveFloat, ...], Different] = (1e-4,)  # that even steps try
    sgd_rates: Annotated[tuple[PositiveFloat, ...], Different] = (1.0,)  # that SGD tries
    vocab_size: PositiveInt = 1024  # tokens of the vocabulary
    context: PositiveInt = 256  # tokens that the model is made for
    layers: PositiveInt = 2  # blocks
    d_model: PositiveInt = 64  # features of a token
    steps: PositiveInt = 150  # optimizer steps
    batch_size: PositiveInt = 4  # recipes in a step
    held_out: PositiveInt = 48  # recipes to choose the rate by, and as many to compare by
    seeds: PositiveInt = 1  # runs of each optimizer


@dataclass(frozen=True)
class Arm:
    """What an optimizer came to, in nats per token, and the share of its second averages that were rounded to zero."""

    rate: float
    searched: dict[str, float]
    losses: list[float]
    interval: MeanInterval
    above_adamw: MeanInterval | None
    zeros: float | None


@dataclass(frozen=True)
class Results:
    optimizers: dict[str, Arm]


class Study:
    """One training for all: the recipes, the model, and what changes, the optimizer and its rate."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.corpus = CookbookCorpus(cookbook_tokenizer(config.vocab_size), validation_recipes=2 * config.held_out)
        held_out = list(self.corpus.validation_batches(8, config.context))
        half = len(held_out) // 2
        self.validation, self.test = held_out[:half], held_out[half:]

    def train(self, name: Name, rate: float, seed: int) -> tuple[GPT, Optimizer]:
        """Return a trained model and its optimizer."""
        config, generator = self.config, torch.Generator().manual_seed(seed)
        gpt = GPT(
            GPTConfig(self.corpus.tokenizer.vocab_size, config.context, config.layers, 4, config.d_model, dropout=0.0),
            generator,
        )
        optimizer = MAKE[name](gpt.parameters(), lr=rate)
        training = train_steps(
            gpt, self.corpus.train_batches(config.batch_size, config.context, generator),
            loss_function=language_model_loss, optimizers=[optimizer], steps=config.steps,
            schedule=partial(warmup_linear, steps=config.steps, warmup=max(1, config.steps // 10)),
        )  # fmt: skip
        for _ in tqdm(training, total=config.steps, desc=f"{TITLES[name]}, rate {rate:g}", leave=False):
            pass
        return gpt.eval(), optimizer

    def loss(self, name: Name, rate: float) -> float:
        """Return the validation loss of a training of the search; that of knowing nothing if it breaks off."""
        try:
            return evaluate_loss(self.train(name, rate, SEARCH_SEED)[0], self.validation)[0]
        except NonFiniteTraining:
            return float("inf")


def zeros_of(optimizer: Optimizer) -> float | None:
    """Return the share of second averages in 8 bits that are zero."""
    kept = [state["second"].load() for state in optimizer.state.values() if isinstance(state.get("second"), Blockwise)]
    return torch.cat([values.flatten() for values in kept]).eq(0).double().mean().item() if kept else None


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    study, found, plain = Study(config), {}, None
    for name in config.optimizers:
        rates = {"sgd": config.sgd_rates, "even_steps": config.even_rates}.get(name, config.rates)
        searched = {rate: study.loss(name, rate) for rate in rates}
        rate = min(searched, key=searched.__getitem__)
        runs = [study.train(name, rate, config.seed + index) for index in range(config.seeds)]
        losses = [evaluate_loss(gpt, study.test)[0] for gpt, _ in runs]
        plain = losses if name == "adamw" else plain
        above = (
            None
            if plain is None or name == "adamw"
            else mean_interval([a - b for a, b in zip(losses, plain, strict=True)])
        )
        shown = {f"{rate:g}": loss for rate, loss in searched.items()}
        found[TITLES[name]] = Arm(rate, shown, losses, mean_interval(losses), above, zeros_of(runs[0][1]))
        print(f"{TITLES[name]}: rate {rate:g}, {show_interval(*mean_interval(losses), '.4f')} nats per token")
    return Results(found)


def plot(results: Results) -> Figure:
    """Draw the loss of each optimizer with its interval, and every run."""
    figure, axes = new_figure(7.0, 2.8)
    for row, arm in enumerate(results.optimizers.values()):
        axes.scatter(arm.losses, [row + 0.2] * len(arm.losses), s=14, alpha=0.5, color="C0")
        axes.errorbar(arm.interval[0], row, xerr=error_bars([arm.interval[1]]), fmt="o", capsize=4, color="C0")
    axes.set_yticks(range(len(results.optimizers)), list(results.optimizers))
    axes.set(xlabel="nats per token on test recipes", ylim=(len(results.optimizers) - 0.5, -0.5))
    return figure


TOLERANCE = {"optimizers.*": TRAINED, "optimizers.*.rate": TIMING, "optimizers.*.searched*": TIMING}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
