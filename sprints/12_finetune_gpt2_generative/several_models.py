"""How much closer do several models come together, and with an n-gram model and a cache beside them?

    uv run sprints/12_finetune_gpt2_generative/several_models.py
    uv run sprints/12_finetune_gpt2_generative/several_models.py --models 8 --epochs 16

Models with different seeds are tuned on the book and their probabilities are averaged. The weights of the mixture are
found on the validation chapter; the test chapter is scored once. Theory: notes/10_getting_closer.md
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from book_finetuning.attempts import Attempt, tune_on_book
from book_finetuning.mixtures import best_weights, cache_probabilities, mixture_loss, target_probabilities
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFile, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device
from shared.nn.pretrained import load_tokenizer
from shared.text.books import SHIPPED_BOOK, Book, BookPart, open_book
from shared.text.ngrams import KneserNey

MORE = ("n-gram", "cache")


@dataclass(frozen=True)
class Config(ScriptConfig):
    book: ExistingFile = SHIPPED_BOOK  # a text in chapters
    models: PositiveInt = 4  # models, each with a seed of its own
    epochs: PositiveInt = 12  # times through the training chapters
    batch_size: PositiveInt = 4  # scenes of a batch
    factor: PositiveFloat = 1.0  # of the default learning rates
    order: PositiveInt = 5  # tokens of the longest n-gram


@dataclass(frozen=True)
class Results:
    """Losses in nats per token: of each model, of the mean of the first so many, and of the mixture with more."""

    single: dict[str, list[float]]
    together: dict[str, list[float]]
    weights: dict[str, float]
    mixture: dict[str, float]
    optimum: dict[str, float | None]


def others(config: Config, book: Book, part: BookPart, vocab_size: int) -> np.ndarray:
    """Return what the n-gram model and the cache give each token of a part: (2, targets)."""
    ngram = KneserNey(config.order, vocab_size).fit(book.train.documents)
    by_counts = np.concatenate([ngram.probabilities(document) for document in part.documents])
    return np.stack([by_counts, cache_probabilities(part.documents, vocab_size)])


def main(config: Config) -> Results:
    keep_freed_memory()
    tokenizer, device = load_tokenizer(), pick_device(config.device)
    book = open_book(config.book, tokenizer)
    parts = {"validation": book.validation, "test": book.test}
    found: dict[str, list[np.ndarray]] = {name: [] for name in parts}
    attempt = Attempt(config.epochs, config.batch_size, config.factor)
    for seed in range(config.seed, config.seed + config.models):
        model = tune_on_book(book, attempt, seed, device).last
        for name, part in parts.items():
            found[name].append(target_probabilities(model, part.documents))
    single = {name: [float(-np.log(one).mean()) for one in every] for name, every in found.items()}
    together = {
        name: [float(-np.log(np.mean(every[: count + 1], axis=0)).mean()) for count in range(config.models)]
        for name, every in found.items()
    }
    mixed = {
        name: np.concatenate([np.mean(found[name], axis=0)[None], others(config, book, part, len(tokenizer))])
        for name, part in parts.items()
    }
    weights = best_weights(mixed["validation"])
    mixture = {name: mixture_loss(weights, every) for name, every in mixed.items()}
    for name in parts:
        print(f"{name}: one {single[name][0]:.4f}, {config.models} together {together[name][-1]:.4f}", end="")
        print(f", with {' and '.join(MORE)} {mixture[name]:.4f}")
    named = dict(zip(("models", *MORE), weights.tolist(), strict=True))
    print("weights:", ", ".join(f"{name} {weight:.4f}" for name, weight in named.items()))
    return Results(single, together, named, mixture, {name: part.optimum for name, part in parts.items()})


def plot(results: Results) -> Figure:
    """Draw the loss by the number of models."""
    figure, axes = new_figure()
    for name, losses in results.together.items():
        counts = range(1, len(losses) + 1)
        (line,) = axes.plot(counts, losses, "o-", label=f"{name}, probabilities averaged")
        axes.axhline(
            results.mixture[name], color=line.get_color(), linestyle="--", label=f"{name}, with counts as well"
        )
        if (optimum := results.optimum[name]) is not None:
            axes.axhline(optimum, color=line.get_color(), linestyle=":", label=f"{name}, optimum")
    axes.set(xlabel="models", ylabel="nats per token")
    axes.set_xticks(list(counts))
    axes.legend(fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED})
