"""Does a model learn as well from packed rows? With the block mask, without it, and without positions that begin again.

    uv run sprints/23_loader_memory/packed_training.py
    uv run sprints/23_loader_memory/packed_training.py --preset full

Every model is trained from scratch on the same recipes in the same order, and tested on recipes one by one, as it will
be used. Each way has the best of the same rates: without options of one, and one short run; in `--preset full` three of
each. Theory: notes/07_documents_apart.md
"""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from memory_study.documents import Packed, block_mask, pack_rows, packed_logits
from memory_study.packing import first_fit_decreasing
from shared.checks.intervals import mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.pretrained import load_tokenizer
from shared.text.batches import pad_rows
from shared.text.books import recipe_part
from shared.text.cookbook import Cookbook
from shared.training.loop import train_steps
from shared.training.losses import evaluate_loss, language_model_loss, token_losses

CONTEXT = 512
PRESETS = {"full": {"steps": 300, "rows": 6, "seeds": 3, "rates": (1e-3, 3e-3, 1e-2), "held_out": 96}}
WAYS = ("one recipe a row", "packed, block mask", "packed, no block mask", "packed, positions go on", "packed, neither")


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: PositiveInt = 100  # optimizer steps
    rows: PositiveInt = 3  # packed rows of a batch, three recipes each
    seeds: PositiveInt = 1  # runs of each way
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (3e-3,)  # learning rates to choose from
    held_out: PositiveInt = 48  # recipes to choose the rate by, and as many to test on
    layers: PositiveInt = 2  # blocks of the model
    d_model: PositiveInt = 96  # features of a token
    heads: PositiveInt = 4  # attention heads

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        if self.rows > 1000:
            raise ValueError(f"6,000 recipes are about 2,000 rows; got --rows {self.rows}: give at most 1000")


@dataclass(frozen=True)
class Trained:
    rate: float
    test: list[float]  # nats per token on recipes one by one, a seed each
    interval: tuple[float, float | None]  # mean and half a 95 % interval


@dataclass(frozen=True)
class Results:
    ways: dict[str, Trained]
    curves: dict[str, list[float]]  # training loss of the first seed
    first_steps_differ: float  # largest difference of the training loss, one recipe a row and packed, ten steps


def batches_of(documents: list[list[int]], rows: int, seed: int) -> Iterator[tuple[list[list[int]], Packed]]:
    """Yield batches of packed rows in a random order, with the documents that are in them, without end."""
    packed = first_fit_decreasing([len(document) for document in documents], CONTEXT)
    generator = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(len(packed), generator=generator).tolist()
        for start in range(0, len(order) - rows + 1, rows):
            chosen = [packed[row] for row in order[start : start + rows]]
            yield [documents[document] for row in chosen for document in row], pack_rows(documents, chosen, CONTEXT)


def loss_of(model: GPT, batch: tuple[list[list[int]], Packed], way: str) -> tuple[Tensor, int]:
    """Return the summed loss of a batch and its targets; these are the same in every way."""
    documents, packed = batch
    if way == "one recipe a row":
        return language_model_loss(model, pad_rows(documents))
    masked, again = way not in ("packed, no block mask", "packed, neither"), way in WAYS[:3]
    positions = packed.positions if again else torch.arange(CONTEXT).expand_as(packed.positions)
    logits = packed_logits(model, packed.tokens, positions, block_mask(packed.documents) if masked else None)
    return token_losses(logits, packed.tokens, packed.targets).sum(), int(packed.targets.sum())


def train(config: Config, way: str, rate: float, seed: int, documents: list[list[int]]) -> tuple[GPT, list[float]]:
    """Return a model trained from scratch, and its losses."""
    size = GPTConfig(2048, CONTEXT, config.layers, config.heads, config.d_model, dropout=0.0)
    model = GPT(size, torch.Generator().manual_seed(seed))
    steps = train_steps(
        model, batches_of(documents, config.rows, seed), steps=config.steps,
        loss_function=lambda model, batch: loss_of(model, batch, way),
        optimizers=[torch.optim.AdamW(model.parameters(), rate)],
        schedule=lambda step: min(1.0, (step + 1) / 20, (config.steps - step) / (0.3 * config.steps)),
    )  # fmt: skip
    return model, [loss for _, loss in steps]


def main(config: Config) -> Results:
    tokenizer = load_tokenizer()
    needed = min(3 * config.rows * config.steps, 6000)
    documents = recipe_part(Cookbook(), "train", needed, tokenizer).documents
    validation, test = (
        [pad_rows(recipe_part(Cookbook(), stream, config.held_out, tokenizer).documents)]
        for stream in ("validation", "test")
    )
    ways: dict[str, Trained] = {}
    curves: dict[str, list[float]] = {}
    runs = len(WAYS) * (len(config.rates) + config.seeds - 1)
    with tqdm(total=runs, unit="run") as bar:
        for way in WAYS:
            tried: dict[float, tuple[GPT, list[float]]] = {}
            for rate in config.rates:
                tried[rate] = train(config, way, rate, config.seed, documents)
                bar.update()
            scores = {rate: evaluate_loss(model, validation)[0] for rate, (model, _) in tried.items()}
            rate = min(scores, key=lambda rate: scores[rate])
            model, curves[way] = tried[rate]
            losses = [evaluate_loss(model, test)[0]]
            for seed in range(config.seed + 1, config.seed + config.seeds):
                losses.append(evaluate_loss(train(config, way, rate, seed, documents)[0], test)[0])
                bar.update()
            ways[way] = Trained(rate, losses, mean_interval(losses))
            print(f"{way:<26}{statistics.mean(losses):.4f} nats per token alone; rate {rate:g}")
    pairs = list(zip(curves[WAYS[0]], curves[WAYS[1]], strict=True))[:10]
    return Results(ways, curves, max(abs(one - other) for one, other in pairs))


def plot(results: Results) -> Figure:
    """Draw the test loss of each way, every seed a point, with the interval of the mean."""
    figure, axes = new_figure(8.0, 3.2)
    for row, found in enumerate(results.ways.values()):
        axes.plot(found.test, [row] * len(found.test), "o", color="grey", markersize=4)
        mean, half = found.interval
        if half is not None:
            axes.errorbar(mean, row, xerr=half, fmt="|", color="C0", capsize=4, markersize=12)
    axes.set_yticks(range(len(results.ways)), list(results.ways))
    axes.set(xlabel="nats per token on recipes one by one", ylim=(len(results.ways) - 0.5, -0.5))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED})
