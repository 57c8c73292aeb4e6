"""What does padding cost, and how much of it does sorting save?

    uv run sprints/11_finetune_gpt2_classification/dynamic_padding.py
    uv run sprints/11_finetune_gpt2_classification/dynamic_padding.py --preset liar

Three ways to fill a batch: every text to the model's whole context, random texts to the longest of the batch, and texts
of similar length to the longest of the batch. Theory: notes/06_padding.md
"""

import statistics
import time
from dataclasses import dataclass
from functools import partial
from typing import Literal

from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import DataLoader

from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import autocast, keep_freed_memory, pick_device, seed_everything
from text_classification.classification_losses import classification_loss
from text_classification.data_sets import load_splits
from text_classification.gpt_classifier import context_of, load_classifier
from text_classification.news_articles import NEWS
from text_classification.text_batches import EncodedTexts, LabelledBatch, SimilarLengths, pad

PRESETS = {"liar": {"data": "liar"}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["recipes", "liar", "fake-news"] = "recipes"  # what to pad
    model: str = "cookbook"  # cookbook (the shipped model), smollm2, a name of the hub such as gpt2, or a folder
    source: str = NEWS  # the news: a name of the hub, or a folder of .csv or .parquet files
    longest: PositiveInt = 1024  # tokens of a text that are read, if the model can read as many
    texts: PositiveInt = 256  # texts of the training split
    batch_size: PositiveInt = 32  # texts of a batch
    rounds: PositiveInt = 3  # how often each way is timed, in turns


@dataclass(frozen=True)
class Results:
    shortest: int
    longest: int
    mean_length: float
    padding: dict[str, float]
    times_the_least: dict[str, float]
    speed_up: dict[str, float]


def one_epoch(model: nn.Module, loader: DataLoader[LabelledBatch]) -> float:
    """Return the seconds that forward and backward pass take over all batches."""
    began = time.perf_counter()
    for batch in loader:
        with autocast(next(model.parameters()).device):
            loss, _ = classification_loss(model, batch)
        loss.backward()
    return time.perf_counter() - began


def main(config: Config) -> Results:
    keep_freed_memory()
    generator = seed_everything(config.seed)
    splits = load_splits(config.data, train=config.texts, test=2, source=config.source, limit=config.texts)
    model, tokenizer = load_classifier(config.model, splits.classes)
    model.to(pick_device(config.device))
    context = context_of(model, config.longest)
    examples, collate = EncodedTexts(splits.train, tokenizer, context), partial(pad, tokenizer=tokenizer)
    rows = examples.rows
    to_the_context = partial(pad, tokenizer=tokenizer, length=context)
    loaders = {
        "whole context": DataLoader(examples, config.batch_size, collate_fn=to_the_context),
        "longest of the batch": DataLoader(
            examples, config.batch_size, shuffle=True, collate_fn=collate, generator=generator
        ),
        "similar lengths": DataLoader(
            examples, batch_sampler=SimilarLengths(rows, config.batch_size, generator), collate_fn=collate
        ),
    }
    padded = {name: sum(batch.tokens.numel() for batch in loader) for name, loader in loaders.items()}
    seconds: dict[str, list[float]] = {name: [] for name in loaders}
    for _ in range(config.rounds):
        for name, loader in loaders.items():
            seconds[name].append(one_epoch(model, loader))
    tokens, slowest = sum(map(len, rows)), statistics.median(seconds["whole context"])
    results = Results(
        shortest=min(map(len, rows)),
        longest=max(map(len, rows)),
        mean_length=tokens / len(rows),
        padding={name: 1 - tokens / count for name, count in padded.items()},
        times_the_least={name: count / tokens for name, count in padded.items()},
        speed_up={name: slowest / statistics.median(times) for name, times in seconds.items()},
    )
    for name, share in results.padding.items():
        print(f"{name:<21} {share:5.1%} padding, {results.speed_up[name]:.2f} times as fast")
    return results


def plot(results: Results) -> Figure:
    """Draw the share of padding, and the speed."""
    figure, (padding, speed) = new_figure(9, 2.6, columns=2)
    padding.barh(list(results.padding), list(results.padding.values()))
    padding.set(xlabel="share of padding", xlim=(0, 1))
    speed.barh(list(results.speed_up), list(results.speed_up.values()))
    speed.set(xlabel="speed, whole context = 1")
    speed.set_yticklabels([])
    for axes in (padding, speed):
        axes.invert_yaxis()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"speed_up.*": TIMING})
