"""What brings the last valid recipes: more training, averaged weights, or a penalty for faults?

    uv run sprints/09_train_gpt2/train.py --preset cookbook-gpt2
    uv run sprints/09_train_gpt2/fewer_faults.py

Trains the model of the first command on, twice from the same weights: as before, and with a penalty for the faults in
recipes that it writes itself. Of both the weights at the end and their running mean are scored, and those with most
valid recipes are saved. Theory: notes/12_the_shipped_model.md
"""

import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from pretraining_study.fault_penalty import Lessons, loss_with_penalty
from pretraining_study.saved_models import from_checkpoint
from pretraining_study.written_texts import count_faults, write_texts
from shared.checks.intervals import share_interval
from shared.lab.compare import EXACT, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.paths import RUNS
from shared.lab.ranges import Fraction, NonNegativeFloat, PositiveFloat, PositiveInt
from shared.lab.run import run, run_folder
from shared.lab.runtime import keep_freed_memory, seed_everything
from shared.nn.gpt import GPT
from shared.text.corpora import CookbookCorpus
from shared.training.checkpoints import load_checkpoint, save_checkpoint
from shared.training.loop import train_steps
from shared.training.losses import evaluate_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

TRAINED_MODEL = RUNS / "09_train_gpt2" / "train_cookbook_gpt2" / "checkpoints" / "cookbook.pt"


@dataclass(frozen=True)
class Config(ScriptConfig):
    checkpoint: Path = TRAINED_MODEL  # checkpoint of train.py on the cookbook
    steps: PositiveInt = 1000  # optimizer steps with the penalty
    plain_steps: PositiveInt = 2000  # optimizer steps without it: twice as many, because nothing is written meanwhile
    batch_size: PositiveInt = 16  # recipes of a batch
    learning_rate: PositiveFloat = 1e-3  # peak learning rate of AdamW
    muon_learning_rate: PositiveFloat = 1e-2  # peak learning rate of Muon
    penalty: NonNegativeFloat = 10.0  # nats that a fault costs
    texts: PositiveInt = 128  # recipes that the model writes at a time
    steps_per_writing: PositiveInt = 4  # optimizer steps that share them
    decay: Fraction = 0.995  # of the running mean of the weights, per step
    validation_recipes: PositiveInt = 1000  # recipes to validate on
    recipes: PositiveInt = 2000  # recipes to write at the end

    def check(self) -> None:
        if self.texts % self.steps_per_writing:
            raise ValueError(
                f"--texts must be a multiple of --steps-per-writing; got {self.texts} and {self.steps_per_writing}: "
                f"take --texts {self.steps_per_writing * (self.texts // self.steps_per_writing + 1)}"
            )


@dataclass(frozen=True)
class Score:
    """The validation loss in nats per token, and the share of valid recipes with its 95 % interval."""

    loss: float
    valid: float
    low: float
    high: float


@dataclass(frozen=True)
class Results:
    optimum: float
    scores: dict[str, Score]
    faults_while_training: list[float]
    saved: str


def train_on(
    config: Config, model: GPT, corpus: CookbookCorpus, data: dict[str, int], *, steps: int, penalty: float
) -> tuple[dict[str, GPT], list[float]]:
    """Train a model in place; return it and the running mean of its weights, and the share of faulty texts."""
    generator = seed_everything(config.seed)
    recipes = corpus.train_batches(config.batch_size, model.config.context, generator)
    recipes.load_state_dict(data)  # recipes that the model has not seen
    texts = config.texts if penalty else 0
    lessons = Lessons(model, recipes, corpus, texts, config.steps_per_writing, generator)
    optimizers = make_optimizers(
        model, learning_rate=config.learning_rate, muon_learning_rate=config.muon_learning_rate
    )
    mean = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(config.decay))
    trained = train_steps(
        model, lessons, loss_function=partial(loss_with_penalty, penalty=penalty), optimizers=optimizers,
        steps=steps, schedule=partial(warmup_linear, steps=steps, warmup=steps // 20),
    )  # fmt: skip
    for _, loss in (bar := tqdm(trained, total=steps, unit="step")):
        mean.update_parameters(model)
        bar.set_postfix(loss=f"{loss:.3f}", faulty=[f"{rate:.0%}" for rate in lessons.fault_rates[-1:]])
    assert isinstance(mean.module, GPT)
    return {"last weights": model, "mean weights": mean.module}, lessons.fault_rates


def score(model: GPT, corpus: CookbookCorpus, config: Config) -> Score:
    """Return the loss of a model on the validation recipes, and how many that it writes are valid."""
    model.eval()
    loss = evaluate_loss(model, corpus.validation_batches(64, model.config.context))[0]
    texts = write_texts(model, corpus.tokenizer, config.recipes, seed=config.seed)
    valid = count_faults(texts, corpus.cookbook)["none"]
    return Score(loss, valid / config.recipes, *share_interval(valid, config.recipes))


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)
    start, tokenizer = from_checkpoint(config.checkpoint)
    checkpoint = load_checkpoint(config.checkpoint)
    corpus = CookbookCorpus(tokenizer, validation_recipes=config.validation_recipes)
    train = partial(train_on, config, corpus=corpus, data=checkpoint["data"])
    longer, _ = train(model=copy.deepcopy(start), steps=config.plain_steps, penalty=0.0)
    corrected, faults = train(model=copy.deepcopy(start), steps=config.steps, penalty=config.penalty)
    models = {"as it was": start}
    for name, trained in (("more training", longer), ("penalty for faults", corrected)):
        models |= {f"{name}, {which}": model for which, model in trained.items()}
    scores = {}
    for name, model in models.items():
        scores[name] = score(model, corpus, config)
        print(f"{name:<34}{scores[name].loss:.4f} nats, {scores[name].valid:.1%} of {config.recipes} recipes are valid")
    saved = max(scores, key=lambda name: scores[name].valid)
    save_checkpoint(
        run_folder(config, __file__) / "checkpoints" / "cookbook.pt", model=models[saved], optimizers=[],
        step=checkpoint["step"], config=checkpoint["config"], data=checkpoint["data"],
    )  # fmt: skip
    return Results(corpus.optimum(), scores, faults, saved)


def plot(results: Results) -> Figure:
    """Draw the share of valid recipes of each model with its interval, and the faults while it was penalised."""
    figure, (left, right) = new_figure(width=9, columns=2)
    for row, found in enumerate(results.scores.values()):
        left.plot([100 * found.low, 100 * found.high], [row, row], color="C0")
        left.plot(100 * found.valid, row, "o", color="C0")
    left.set_yticks(range(len(results.scores)), list(results.scores))
    left.invert_yaxis()
    left.set(xlabel="valid recipes at temperature 1 in percent")
    right.plot([100 * rate for rate in results.faults_while_training], color="C3")
    right.set(xlabel="writing", ylabel="texts with a fault in percent", ylim=(0, None))
    return figure


TOLERANCE = {
    "optimum": EXACT, "scores.*": TRAINED, "scores.*.valid": Tolerance(absolute=0.04),
    "scores.*.low": Tolerance(absolute=0.04), "scores.*.high": Tolerance(absolute=0.04),
    "faults_while_training.*": Tolerance(compared=False), "saved": Tolerance(compared=False),
}  # fmt: skip

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
