"""What does a model write while it learns? TinyShakespeare, letter by letter, at several steps of one training.

    uv run sprints/09_train_gpt2/samples_by_step.py
    uv run sprints/09_train_gpt2/samples_by_step.py --data my_text.txt --samples-at 0 50 200

The run is that of `train.py --preset tinyshakespeare`, with fewer options. Theory: notes/10_tinyshakespeare.md
"""

from dataclasses import dataclass
from functools import partial

from matplotlib.figure import Figure
from tqdm import tqdm

from pretraining_study.named_corpora import load_corpus
from pretraining_study.written_texts import write_texts
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, NonNegativeInt, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.gpt import GPT, GPTConfig
from shared.text.corpora import TextCorpus
from shared.training.loop import train_steps
from shared.training.losses import evaluate_loss, language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: str = "tinyshakespeare"  # tinyshakespeare, or a text file
    samples_at: tuple[NonNegativeInt, ...] = (
        0,
        100,
        500,
        2000,
    )  # steps after which it writes; the last one ends
    context: AtLeastTwo = 128  # characters that the model looks at
    layers: PositiveInt = 4  # blocks
    d_model: PositiveInt = 128  # features of a character
    batch_size: PositiveInt = 16  # rows of a batch
    learning_rate: PositiveFloat = 3e-3  # peak of AdamW; Muon has 0.02

    def check(self) -> None:
        if max(self.samples_at) < 1 or sorted(set(self.samples_at)) != list(self.samples_at):
            raise ValueError(f"--samples-at must be steps in growing order, the last at least 1; got {self.samples_at}")
        GPTConfig(vocab_size=1, context=self.context, layers=self.layers, heads=4, d_model=self.d_model)


@dataclass(frozen=True)
class Results:
    steps: list[int]
    validation_losses: list[float]
    samples: list[str]
    train_losses: list[float]


def main(config: Config) -> Results:
    keep_freed_memory()
    generator, steps = seed_everything(config.seed), config.samples_at[-1]
    corpus = load_corpus(config.data, "char")
    if not isinstance(corpus, TextCorpus):
        raise ValueError(f"--data must be a text, for letters have no recipes; got {config.data}")
    size = GPTConfig(corpus.tokenizer.vocab_size, config.context, config.layers, 4, config.d_model, dropout=0.0)
    model = GPT(size).to(pick_device(config.device))
    trained = train_steps(
        model,
        corpus.train_batches(config.batch_size, config.context, generator),
        loss_function=language_model_loss,
        optimizers=make_optimizers(model, learning_rate=config.learning_rate, muon_learning_rate=0.02),
        steps=steps,
        schedule=partial(warmup_linear, steps=steps, warmup=20),
        precision="auto",
    )
    losses, validation, samples = [], [], []

    def look(step: int) -> None:
        validation.append(evaluate_loss(model, corpus.validation_batches(64, config.context))[0])
        samples.append(write_texts(model.eval(), corpus.tokenizer, 1, seed=config.seed, start=corpus.opening())[0])
        tqdm.write(f"\nafter {step} steps, {validation[-1]:.3f} nats per character:\n{samples[-1]}")

    if 0 in config.samples_at:
        look(0)
    for step, loss in tqdm(trained, total=steps, unit="step"):
        losses.append(loss)
        if step in config.samples_at:
            look(step)
    return Results(list(config.samples_at), validation, samples, losses)


def plot(results: Results) -> Figure:
    """Draw the training loss of every step, and the validation loss where the model wrote."""
    figure, axes = new_figure(7.0, 3.6)
    axes.plot(range(1, len(results.train_losses) + 1), results.train_losses, linewidth=0.6, alpha=0.7)
    axes.plot(results.steps, results.validation_losses, "o", color="C3")
    for step, loss in zip(results.steps, results.validation_losses, strict=True):
        axes.annotate(f"{loss:.2f}", (step, loss), (4, 8), textcoords="offset points", color="C3")
    axes.annotate("training, each step", (0.4, 0.62), xycoords="axes fraction", color="C0")
    axes.annotate("validation", (0.4, 0.72), xycoords="axes fraction", color="C3")
    axes.set(xlabel="step", ylabel="nats per character", ylim=(0, None))
    return figure


if __name__ == "__main__":
    tolerance = {"*": TRAINED, "train_losses*": Tolerance(relative=0.15)}
    run(main, Config, plot=plot, tolerance=tolerance)
