"""Who writes to whom next? EdgeBank, recency and a trained memory, tested with random and with historical wrong pairs.

    uv run sprints/27_graphs_downstream/links_in_time.py
    uv run sprints/27_graphs_downstream/links_in_time.py --preset college

The default stream is made, and the best possible AUC is known. Theory: notes/07_a_memory_for_each_node.md
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from downstream.edge_bank import EdgeBank, Negatives, same_sender
from downstream.streams import Stream, circles, circles_optimum, read_college_messages
from downstream.temporal_links import (
    KINDS,
    Draw,
    Kind,
    MemoryLinks,
    Pairs,
    Splits,
    drawer,
    measure,
    recency,
    train_epoch,
)
from shared.checks.intervals import MeanInterval, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import OpenFraction, PositiveFloat, PositiveInt
from shared.lab.run import run

SENDERS, RECEIVERS, CONTACTS = 40, 30, 5
PRESETS = {
    "college": {"data": "college", "seeds": 5, "epochs": 8, "batch_size": 200, "learning_rates": (3e-3,), "unit": 60.0}
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["circles", "college"] = "circles"  # the made stream, or CollegeMsg
    seeds: PositiveInt = 3  # runs, each with weights and wrong pairs of its own (and its own made stream)
    epochs: PositiveInt = 15  # most passes through the training part; the best on validation is kept
    features: PositiveInt = 32  # numbers of a memory
    batch_size: PositiveInt = 50  # messages that are scored before they are learned
    learning_rates: tuple[PositiveFloat, ...] = (1e-2,)  # tried, chosen on validation
    unit: PositiveFloat = 10.0  # of time: minutes for CollegeMsg, messages for the made stream
    messages: PositiveInt = 6000  # of the made stream
    switch: OpenFraction = 0.2  # probability that a sender of the made stream writes to another contact

    def check(self) -> None:
        if self.data == "circles" and self.batch_size < SENDERS:
            raise ValueError(f"--batch-size must be at least {SENDERS}: in the first batch each sender writes once")
        if self.data == "circles" and self.messages < 20 * self.batch_size:
            raise ValueError(f"--messages must be at least 20 batches ({20 * self.batch_size}); got {self.messages}")


@dataclass(frozen=True)
class Results:
    auc: dict[str, dict[Kind, MeanInterval]]  # by scorer and kind of wrong pairs, on the test part
    single: dict[str, dict[Kind, list[float]]]  # of each seed
    one_by_one: dict[Kind, float]  # EdgeBank that learns each message before the next one is asked for
    shuffled: dict[Kind, float]  # the same where messages were shuffled before the split: it knows the future
    optimum: dict[str, float]
    repeated: float  # share of test messages whose pair was seen before
    chosen: list[float]  # learning rates


def stream_of(config: Config, generator: torch.Generator) -> Stream:
    """Return the stream of a seed."""
    if config.data == "college":
        return read_college_messages()
    return circles(SENDERS, RECEIVERS, CONTACTS, config.switch, config.messages, generator)


def draw_for(config: Config, negatives: Negatives, past: dict[int, list[int]], generator: torch.Generator) -> Draw:
    """Return what draws wrong pairs: in the made stream historical ones are other contacts of the same sender."""
    general = drawer(negatives, generator)

    def draw(batch: Stream, kind: Kind) -> Pairs:
        if config.data == "circles" and kind == "historical":
            return same_sender(batch, past, generator)
        return general(batch, kind)

    return draw


def learner(negatives: Negatives, past: dict[int, list[int]], bank: EdgeBank) -> Callable[[Stream], None]:
    """Return what adds a batch to all that remembers pairs."""

    def learned(batch: Stream) -> None:
        negatives.learn(batch)
        bank.update(batch)
        for source, target in zip(batch.source.tolist(), batch.target.tolist(), strict=True):
            if target not in past.setdefault(source, []):
                past[source].append(target)

    return learned


def train(
    config: Config, stream: Stream, splits: Splits, rate: float, seed: int
) -> tuple[float, dict[str, dict[Kind, float]]]:
    """Return the best validation AUC (mean of both kinds) of a training, and all test AUCs at that epoch."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = MemoryLinks(stream.num_nodes, config.features, config.unit, generator)
    optimizer = torch.optim.Adam(model.parameters(), rate)
    best: tuple[float, dict[str, dict[Kind, float]]] = (0.0, {})
    for _ in tqdm(range(config.epochs), desc=f"seed {seed}, rate {rate:g}", leave=False):
        past: dict[int, list[int]] = {}
        negatives = Negatives(stream.target[: splits.valid].unique(), stream.num_nodes)
        bank = EdgeBank(stream.num_nodes)

        learned = learner(negatives, past, bank)
        train_epoch(model, optimizer, stream, splits, draw_for(config, negatives, past, generator), learned)
        model.eval()
        # The same wrong pairs in each epoch, and for each scorer.
        draw = draw_for(config, negatives, past, torch.Generator().manual_seed(1000 + seed))
        scorers = {
            "EdgeBank": (bank.score, learned), "recency": (recency(bank), lambda _: None),
            "memory": (model, model.learn),
        }  # fmt: skip
        valid = measure(scorers, stream, splits.batches(splits.valid, splits.test), draw)["memory"]
        score = statistics.mean(valid.values())
        if score > best[0]:
            best = score, measure(scorers, stream, splits.batches(splits.test, splits.end), draw)
    return best


def bank_alone(config: Config, stream: Stream, batch_size: int, *, shuffled: bool = False) -> dict[Kind, float]:
    """Return the AUC of EdgeBank, in batches of this size; or where the messages were shuffled before the split."""
    generator = torch.Generator().manual_seed(config.seed)
    if shuffled:
        order = torch.randperm(len(stream), generator=generator)
        stream = Stream(stream.source[order], stream.target[order], torch.arange(len(stream)), stream.num_nodes)
    start, bank = 85 * len(stream) // 100, EdgeBank(stream.num_nodes)
    negatives, past = Negatives(stream.target[:start].unique(), stream.num_nodes), {}
    learn = learner(negatives, past, bank)
    learn(stream.part(0, start))
    splits = Splits(start, start, len(stream), batch_size)
    draw = draw_for(config, negatives, past, generator)
    return measure({"bank": (bank.score, learn)}, stream, splits.batches(start, len(stream)), draw)["bank"]


def main(config: Config) -> Results:
    rows, chosen, repeated = [], [], 0.0
    for seed in range(config.seed, config.seed + config.seeds):
        stream = stream_of(config, torch.Generator().manual_seed(seed))
        size = len(stream)
        splits = Splits(7 * size // 10, 85 * size // 100, size, config.batch_size)
        tried = {rate: train(config, stream, splits, rate, seed) for rate in config.learning_rates}
        chosen.append(max(tried, key=lambda rate: tried[rate][0]))
        rows.append(tried[chosen[-1]][1])
        seen = set(zip(stream.source[: splits.test].tolist(), stream.target[: splits.test].tolist(), strict=True))
        asked = list(zip(stream.source[splits.test :].tolist(), stream.target[splits.test :].tolist(), strict=True))
        repeated = sum(pair in seen for pair in asked) / len(asked)
    single = {name: {kind: [row[name][kind] for row in rows] for kind in KINDS} for name in rows[0]}
    auc = {name: {kind: mean_interval(parts[kind]) for kind in KINDS} for name, parts in single.items()}
    for name, parts in auc.items():
        print(f"{name:<10}" + "".join(f"{kind} {parts[kind][0]:.3f}   " for kind in KINDS))
    optimum = circles_optimum(RECEIVERS, CONTACTS, config.switch) if config.data == "circles" else {}
    print(f"optimum: {optimum or 'unknown'}; seen before: {repeated:.1%} of the pairs")
    one, wrong = bank_alone(config, stream, 1), bank_alone(config, stream, 1, shuffled=True)
    print(f"EdgeBank message by message: {one}; wrong, shuffled before the split: {wrong}")
    return Results(auc, single, one, wrong, optimum, repeated, chosen)


def plot(results: Results) -> Figure:
    """Draw the AUC of each scorer for both kinds of wrong pairs, the optimum as a line."""
    figure, axes = new_figure(7.0, 3.4)
    for place, kind in enumerate(KINDS):
        for number, (name, parts) in enumerate(results.auc.items()):
            mean, half = parts[kind]
            x = place * 4 + number
            axes.bar(x, mean, color=COLOURS[number], yerr=half or None, width=0.85, capsize=3)
            axes.text(x, 0.04, f"{name}\n{mean:.3f}", ha="center", fontsize=9, color="white", fontweight="bold")
        if results.optimum:
            best = results.optimum[kind]
            axes.hlines(best, place * 4 - 0.5, place * 4 + 2.5, color="black", linestyle="--")
            axes.text(place * 4 + 1, best + 0.015, f"optimum {best:.3f}", ha="center", fontsize=9)
    axes.axhline(0.5, color="#777777", linewidth=1, zorder=0)
    axes.set_xticks([1, 5], ["random wrong pairs", "historical wrong pairs"])
    axes.set(ylim=(0, 1.08), ylabel="AUC on the test part", yticks=[0, 0.25, 0.5, 0.75, 1])
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED})
