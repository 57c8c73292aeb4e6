"""What can an encoder tell that a decoder cannot? Was a word of the text changed, and which one?

    uv run sprints/19_transformer_variants/encoder_or_decoder.py
    uv run sprints/19_transformer_variants/encoder_or_decoder.py --preset full
    uv run sprints/19_transformer_variants/encoder_or_decoder.py --steps 300

BERT and GPT of the same size learn both questions, with the same steps and texts, beside the exact optimum of a reader
of all words and of one that reads from the left. A third one is a GPT that is given the text twice and answers in the
second copy. By default each is trained once, with one rate and 700 steps: enough for BERT to find the word better than
anybody could who reads from the left, and too few for the third one to catch up with it. `--preset full` has 1,200
steps, five runs of each, and the same search for each rate. Theory: notes/08_what_an_encoder_is_for.md
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal, get_args

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from variants.both_kinds import Kind, Labeller, with_start
from variants.changed_words import Changer
from variants.small_grammar import small_recipes
from variants.trials import SEARCH_SEED, fit, search_and_repeat

Reader = Literal["BERT", "GPT", "GPT, text twice"]
READERS: dict[str, tuple[Reader, ...]] = {"text": ("BERT", "GPT"), "word": get_args(Reader)}  # by question
TABLE = small_recipes()
WORDS, PLACES = len(TABLE.words), TABLE.rows.shape[1]
Texts = tuple[Tensor, Tensor]  # words, and which of them were changed, both (batch, places)

PRESETS = {"full": {"steps": 1200, "rates": (1e-3, 3e-3), "seeds": 5}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: PositiveInt = 2  # blocks of each model
    heads: PositiveInt = 4  # heads of a block
    d_model: PositiveInt = 48  # features of a token
    steps: PositiveInt = 700  # optimizer steps
    batch_size: PositiveInt = 64  # texts of a batch
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (3e-3,)  # learning rates that are tried
    texts: PositiveInt = 1000  # new texts that are measured
    seeds: PositiveInt = 1  # runs of each model

    def check(self) -> None:
        check_heads(self.d_model, self.heads)


@dataclass(frozen=True)
class Optimum:
    """Loss in nats per text of the best possible reader, and the share of texts that it gets right."""

    loss: float
    right: float


@dataclass(frozen=True)
class Learner:
    """A model: parameters, its rate, losses of the search, and by seed its loss in nats per text and share right."""

    parameters: int
    rate: float
    searched: dict[str, float]
    losses: list[float]
    loss: MeanInterval
    right: MeanInterval


@dataclass(frozen=True)
class Results:
    texts: int
    optima: dict[str, Optimum]
    models: dict[str, dict[str, Learner]]


def loss_of(model: Labeller, texts: Texts, question: str) -> tuple[Tensor, Tensor]:
    """Return the loss of each text in nats, and whether the answer to the question is right."""
    rows, changed = texts
    repeated = model.context > PLACES + 1
    tokens = with_start(torch.cat([rows, rows], dim=1) if repeated else rows, WORDS)
    if question == "text":
        logits, truth = model.of_text(tokens), changed.any(dim=1)
        return functional.binary_cross_entropy_with_logits(logits, truth.float(), reduction="none"), (
            logits > 0
        ) == truth
    logits = model(tokens)[:, -PLACES:]  # (batch, places)
    losses = functional.binary_cross_entropy_with_logits(logits, changed.float(), reduction="none").sum(dim=1)
    return losses, ((logits > 0) == changed).all(dim=1)


def run_once(config: Config, reader: Reader, question: str, rate: float, seed: int) -> tuple[float, float, int]:
    """Train one model; return its loss on new texts, the share of them that it gets right, and its parameters."""
    changer, generator = Changer(TABLE), torch.Generator().manual_seed(seed)
    kind: Kind = "BERT" if reader == "BERT" else "GPT"
    context = 1 + PLACES * (2 if reader == "GPT, text twice" else 1)
    model = Labeller(kind, WORDS, context, (config.layers, config.heads, config.d_model), seed)

    def batches() -> Iterator[Texts]:
        while True:
            yield changer.draw(config.batch_size, generator)

    def summed(model: Labeller, texts: Texts) -> tuple[Tensor, int]:
        return loss_of(model, texts, question)[0].sum(), len(texts[0])

    steps = fit(model, batches(), summed, config.steps, rate)
    for _ in tqdm(steps, total=config.steps, desc=f"{reader}, {question}", leave=False):
        pass
    model.eval()
    with torch.no_grad():
        texts = new_texts(config, searching=seed == config.seed + SEARCH_SEED)
        losses, right = loss_of(model, texts, question)
    parameters = sum(weight.numel() for weight in model.parameters())
    return losses.mean().item(), right.double().mean().item(), parameters


def new_texts(config: Config, searching: bool = False) -> Texts:
    """Return the texts that all models are measured on, or others for the search of the rate."""
    seed = config.seed + (2_000_000 if searching else 1_000_000)
    return Changer(TABLE).draw(config.texts, torch.Generator().manual_seed(seed))


def optima_of(texts: Texts) -> dict[str, Optimum]:
    """Return what the best readers reach on these texts: of the text, of words, of words read from the left."""
    rows, changed = texts
    whole, begun = Changer(TABLE).optima(rows)

    def score(chances: Tensor, truth: Tensor) -> Optimum:
        losses = functional.binary_cross_entropy(chances.clamp(0, 1), truth.double(), reduction="none")
        right = (chances > 0.5) == truth
        return Optimum(losses.flatten(1).sum(dim=1).mean().item(), right.flatten(1).all(dim=1).double().mean().item())

    return {
        "text": score(whole.sum(dim=1, keepdim=True), changed.any(dim=1, keepdim=True)),
        "word": score(whole, changed),
        "word, from the left": score(begun, changed),
    }


def main(config: Config) -> Results:
    torch.set_num_threads(1)  # of two processes at once each is faster with one
    optima = optima_of(new_texts(config))
    for name, optimum in optima.items():
        print(f"optimum, {name}: {optimum.loss:.3f} nats per text, {optimum.right:.1%} right")
    models: dict[str, dict[str, Learner]] = {}
    for question, readers in READERS.items():
        models[question] = {}
        for reader in readers:
            once = partial(run_once, config, reader, question)
            trials = search_and_repeat(once, lambda found: found[0], config.rates, config.seeds, config.seed)
            losses, right, parameters = zip(*trials.runs, strict=True)
            learner = Learner(
                parameters[0], trials.rate, trials.searched, list(losses), mean_interval(losses), mean_interval(right)
            )  # fmt: skip
            models[question][reader] = learner
            print(f"{reader}, {question}: {learner.loss[0]:.3f} nats per text, {learner.right[0]:.1%} right")
    return Results(config.texts, optima, models)


def plot(results: Results) -> Figure:
    """Draw the losses of both models for both questions, with the optima as lines."""
    figure, panels = new_figure(9.0, 3.8, columns=2)
    titles = ("Was a word changed?", "Which word was changed?")
    for panel, (question, models), title in zip(panels, results.models.items(), titles, strict=True):
        for index, model in enumerate(models.values()):
            panel.errorbar(index, model.loss[0], error_bars([model.loss[1]]), fmt="o", capsize=4, color=f"C{index}")
            panel.scatter([index + 0.15] * len(model.losses), model.losses, s=12, alpha=0.5, color=f"C{index}")
        for name, optimum in results.optima.items():
            if name.startswith(question):
                panel.axhline(optimum.loss, linestyle=":" if "left" in name else "--", color="grey")
                words = "optimum from the left" if "left" in name else "optimum"
                panel.text(-0.45, optimum.loss, words, va="bottom", fontsize=9, color="#444444")
        panel.set_xticks(range(len(models)), [name.replace(", ", ",\n") for name in models])
        panel.set(xlim=(-0.5, len(models) - 0.5), ylim=(0, None), title=title, ylabel="nats per text")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"models.*": TRAINED})
