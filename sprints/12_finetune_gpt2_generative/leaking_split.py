"""What if overlapping windows of a book are dealt out at random to training and validation?

    uv run sprints/12_finetune_gpt2_generative/leaking_split.py

Two models with the same settings. One is validated on windows drawn from all windows of the book, the other on the
windows of a chapter of its own. Both then read a chapter that neither has seen. Theory: notes/08_easy_to_get_wrong.md
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from book_finetuning.pretrained_gpt import check_window, load_gpt, load_with_new_words
from book_finetuning.training_on_blocks import FineTuningSettings, fine_tune
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFile, OpenFraction, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.gpt import GPT
from shared.nn.pretrained import SHIPPED
from shared.text.batches import TextDataset, pad_rows
from shared.text.books import SHIPPED_BOOK, open_book
from shared.training.losses import evaluate_loss, perplexity

Windows = list[list[int]]


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), or a folder of a GPT-2 of its size
    book: ExistingFile = SHIPPED_BOOK  # a text in chapters
    window: PositiveInt = 64  # tokens of a window
    stride: PositiveInt = 16  # tokens from one window to the next
    held_out: OpenFraction = 0.1  # share of the windows to validate on, where they are dealt out at random
    steps: PositiveInt = 1200  # optimizer steps
    evaluations: PositiveInt = 4  # evaluations on the way
    batch_size: PositiveInt = 8  # windows of a batch
    ngrams: tuple[PositiveInt, ...] = (8, 16, 32)  # lengths of the token sequences that the splits may share

    def check(self) -> None:
        if (
            self.model != SHIPPED
            and sum(weight.numel() for weight in load_gpt(self.model)[0].parameters()) > 20_000_000
        ):
            raise ValueError(
                f"the rates here are for a model of two million parameters; {self.model} is a real one, and would lose "
                "all that it has learnt: finetune.py has rates by size, for GPT-2 and Llama"
            )
        if self.stride > self.window:
            raise ValueError(
                f"--stride must be 1 to --window {self.window}, or text would be skipped; got {self.stride}"
            )
        if self.evaluations > self.steps:
            raise ValueError(f"--evaluations must be at most --steps {self.steps}; got {self.evaluations}")
        if (longest := max(self.ngrams)) > self.window + 1:
            raise ValueError(f"no window of {self.window + 1} tokens holds one of the --ngrams, of {longest}")


@dataclass(frozen=True)
class SplitOutcome:
    """Perplexities by step, at the end on the chapter that no one has seen, and the n-grams that the splits share."""

    reported: list[float]
    true: list[float]
    shared_ngrams: dict[str, float]


@dataclass(frozen=True)
class Results:
    steps: list[int]
    leaking: SplitOutcome
    honest: SplitOutcome


def shared_ngrams(train: Sequence[Sequence[int]], validation: Sequence[Sequence[int]], length: int) -> float:
    """Return the share of the distinct n-grams of the validation rows that occur in a training row too."""
    seen, unseen = (
        {tuple(row[start : start + length]) for row in rows for start in range(len(row) - length + 1)}
        for rows in (train, validation)
    )
    return len(seen & unseen) / max(1, len(unseen))


def window_loss(model: GPT, windows: Windows) -> float:
    """Return the loss over all targets of all windows, as one gets it who takes windows for documents."""
    batches = (pad_rows(windows[start : start + 64]) for start in range(0, len(windows), 64))
    return evaluate_loss(model, batches)[0]


def follow(config: Config, train: Windows, validation: Windows, unseen: Windows) -> tuple[list[int], SplitOutcome]:
    """Train on windows, and return the steps and what was reported and true at each."""
    generator = seed_everything(config.seed)
    model = load_with_new_words(config.model, generator).to(pick_device(config.device))
    every, steps, reported, true = config.steps // config.evaluations, [], [], []
    settings = FineTuningSettings(config.steps, config.batch_size)
    trained = fine_tune(model, lambda: train, settings, generator)
    for step, _ in tqdm(trained, total=config.steps, unit="step"):
        if step % every == 0:
            steps.append(step)
            reported.append(perplexity(window_loss(model, validation)))
            true.append(perplexity(window_loss(model, unseen)))
    ngrams = {str(length): shared_ngrams(train, validation, length) for length in config.ngrams}
    return steps, SplitOutcome(reported, true, ngrams)


def main(config: Config) -> Results:
    keep_freed_memory()
    original, tokenizer = load_gpt(config.model)
    check_window(config.window, original)
    book = open_book(config.book, tokenizer)
    train, validation, test = (
        TextDataset(part.documents, config.window, config.stride).blocks
        for part in (book.train, book.validation, book.test)
    )
    everything = train + validation
    order = torch.randperm(len(everything), generator=torch.Generator().manual_seed(config.seed)).tolist()
    held_out = max(1, round(config.held_out * len(everything)))
    drawn, rest = ([everything[index] for index in part] for part in (order[:held_out], order[held_out:]))
    steps, leaking = follow(config, rest, drawn, test)
    _, honest = follow(config, train, validation, test)
    for name, outcome in {"windows dealt out at random": leaking, "whole chapters": honest}.items():
        print(f"{name}: validation perplexity {outcome.reported[-1]:.3f}, unseen chapter {outcome.true[-1]:.3f}")
        shares = ", ".join(f"{share:.0%} of {length}-grams" for length, share in outcome.shared_ngrams.items())
        print(f"    shared with training: {shares}")
    return Results(steps, leaking, honest)


def plot(results: Results) -> Figure:
    """Draw what is reported and what is true over the steps."""
    figure, (left, right) = new_figure(width=9, columns=2)
    titles = {"windows dealt out at random": results.leaking, "whole chapters": results.honest}
    for axes, (title, outcome) in zip((left, right), titles.items(), strict=True):
        axes.plot(results.steps, outcome.true, marker="o", label="unseen chapter")
        axes.plot(results.steps, outcome.reported, marker="s", label="validation, as reported")
        axes.set(title=title, xlabel="step", ylabel="perplexity", yscale="log", ylim=(1, 20))
    left.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*.reported.*": TRAINED, "*.true.*": TRAINED})
