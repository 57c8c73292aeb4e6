"""What does a loss curve say about a run? Eight runs of a tiny GPT, seven of them with one thing wrong.

    uv run sprints/09_train_gpt2/reading_loss_curves.py
    uv run sprints/09_train_gpt2/reading_loss_curves.py --steps 1000

All of them read the letters of the same recipes, from the same first weights. Each is judged twice: by the loss that
the run itself reports, its fault included, and by a loss that is computed apart from it. Theory:
notes/07_reading_loss_curves.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tqdm import tqdm

from pretraining_study.labelled_runs import RUNS, LabelledRun
from pretraining_study.written_texts import write_texts
from shared.lab.compare import EXACT, ROUNDING, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import Batch, BlockBatches
from shared.text.cookbook import Cookbook
from shared.text.corpora import TextCorpus
from shared.text.ngrams import WittenBell
from shared.training.loop import NonFiniteTraining, train_steps
from shared.training.losses import evaluate_loss
from shared.training.optimizers import make_optimizers


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: PositiveInt = 400  # optimizer steps of each run
    eval_every: PositiveInt = 20  # steps between evaluations
    recipes: AtLeastTwo = 400  # recipes of the text, of which a tenth validates
    context: AtLeastTwo = 32  # characters that the model looks at
    batch_size: AtLeastTwo = 16  # rows of a batch
    d_model: PositiveInt = 32  # features of a character
    layers: PositiveInt = 2  # blocks


@dataclass(frozen=True)
class Curve:
    """A run: training loss of each step, validation loss as the run computes it, and apart from it; what it writes."""

    training: list[float]
    validation: list[float]
    honest: float
    sample: str


@dataclass(frozen=True)
class Results:
    runs: dict[str, Curve]
    steps: list[int]
    uniform: float
    unigram: float
    bigram: float
    characters: int


def main(config: Config) -> Results:
    text = "\n\n\n".join(Cookbook().recipe("train", index).text for index in range(config.recipes))
    corpus = TextCorpus.from_text(text, "char")
    unseen = list(corpus.validation_batches(64, config.context))[:4]
    curves = {labelled.title: train(config, labelled, corpus, unseen) for labelled in tqdm(RUNS, unit="run")}
    for title, curve in curves.items():
        print(f"{title:<36}training {curve.training[-1]:8.3f}, validation {curve.validation[-1]:8.3f}", end="")
        print(f", computed apart {curve.honest:8.3f}, writes {curve.sample[:24]!r}")
    size, documents = corpus.tokenizer.vocab_size, corpus.train_documents(len(corpus.train))
    unigram, bigram = (WittenBell(n, size).fit(documents).loss(corpus.validation_documents()) for n in (1, 2))
    steps = sorted({*range(0, config.steps + 1, config.eval_every), config.steps})
    return Results(curves, steps, math.log(size), unigram, bigram, len(corpus.train))


def train(config: Config, labelled: LabelledRun, corpus: TextCorpus, unseen: list[Batch]) -> Curve:
    """Train one of the runs."""
    generator = seed_everything(config.seed)
    size = GPTConfig(corpus.tokenizer.vocab_size, config.context, config.layers, 2, config.d_model, dropout=0.0)
    model = GPT(size)
    part = corpus.train[: max(2 * config.context, int(labelled.share_of_text * len(corpus.train)))]
    trained = train_steps(
        model,
        BlockBatches(part, config.batch_size, config.context, generator),
        loss_function=labelled.loss_function,
        optimizers=make_optimizers(model, learning_rate=labelled.learning_rate),
        steps=config.steps,
    )
    losses, validation = [], [reported_loss(model, labelled, unseen)]
    try:
        for step, loss in trained:
            losses.append(loss)
            if step % config.eval_every == 0 or step == config.steps:
                validation.append(reported_loss(model, labelled, unseen))
    except NonFiniteTraining as stopped:
        print(f"{labelled.title}: {stopped}")
    honest, _ = evaluate_loss(model, unseen)
    (sample,) = write_texts(model.eval(), corpus.tokenizer, 1, seed=config.seed, start=corpus.opening())
    return Curve(losses, validation, honest, sample)


@torch.no_grad()
def reported_loss(model: GPT, labelled: LabelledRun, batches: list[Batch]) -> float:
    """Return the validation loss that a run reports: by its own loss function, with the same fault."""
    parts = [labelled.loss_function(model, batch) for batch in batches]
    return sum(loss.item() for loss, _ in parts) / sum(count for _, count in parts)


def plot(results: Results) -> Figure:
    """Draw a panel for each run, with the healthy validation loss in grey behind it."""
    rows = math.ceil(len(results.runs) / 2)
    figure, grid = new_figure(7.6, 2.625 * rows, rows=rows, columns=2)
    healthy = next(iter(results.runs.values())).validation
    for axes, (title, curve) in zip(grid.flat, results.runs.items(), strict=False):
        if curve.validation is not healthy:
            axes.plot(results.steps, healthy, color="grey", linewidth=4, alpha=0.35)
        draw(axes, curve, results)
        axes.set_title(title, loc="left", fontweight="bold", fontsize=10)
    first, end = grid.flat[0], results.steps[-1]
    names = (("validation", "C3", 1.25), ("training", "C0", 0.85), ("grey in the others: this run", "grey", 0.45))
    for words, colour, height in names:
        first.text(0.99 * end, height, words, color=colour, ha="right")
    first.text(end, results.unigram + 0.1, "letter frequencies alone", ha="right", fontsize=9)
    grid.flat[5].text(end, curve_end(results, "6"), "validation", color="C3", ha="right", va="bottom")
    for axes in grid[:, 0]:
        axes.set_ylabel("nats per character")
    for axes in grid[-1]:
        axes.set_xlabel("step")
    return figure


def curve_end(results: Results, number: str) -> float:
    """Return where the validation loss of a run ends."""
    return next(curve.validation[-1] for title, curve in results.runs.items() if title.startswith(number))


def draw(axes: Axes, curve: Curve, results: Results) -> None:
    """Draw one run; the scale is logarithmic where the loss leaves the range of the others."""
    steps = range(1, len(curve.training) + 1)
    axes.plot(steps, curve.training, color="C0", linewidth=0.7, alpha=0.8)
    axes.plot(results.steps[: len(curve.validation)], curve.validation, color="C3", linewidth=1.8)
    axes.axhline(results.unigram, color="black", linestyle=":", linewidth=1)
    if max(curve.training) > 2 * results.uniform:
        axes.set(yscale="log")
    else:
        axes.set(ylim=(0, 1.1 * max(results.uniform, *curve.training)))


# What diverges goes where rounding sends it, and so does a loss that nobody trains for; that of one batch is noise.
CHANCE = Tolerance(compared=False)
TOLERANCE = {
    "*": TRAINED, "runs.4*": CHANCE, "runs.*.training*": CHANCE, "runs.[678]*.honest": CHANCE, "*gram": ROUNDING,
    "uniform": ROUNDING, "characters": EXACT, "steps*": EXACT,
}  # fmt: skip

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
