"""What should a language model read of a graph: vectors of a graph network, text, or both, in equally many places?

    uv run sprints/27_graphs_downstream/graph_in_the_prompt.py
    uv run sprints/27_graphs_downstream/graph_in_the_prompt.py --preset seeds

A small GPT answers questions of one to three hops about larders that it has not seen. All arms have the same steps,
the same questions and the same search. Theory: notes/14_a_graph_in_the_prompt.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from downstream.graph_prompts import Arm, GraphPromptGPT, answers_of, arms, batch_of
from downstream.larder_questions import ASKED, HOPS, KINDS
from downstream.larder_quiz import Asked, Shares, by_hops, draw_quiz, prompts_of, score
from downstream.larder_texts import EDGE_TOKENS, reader_chance
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    budget: PositiveInt = 16  # places before the question: vectors, or tokens of text, two an edge
    way: Literal["Steiner tree", "nearest edges", "whole larder"] = "Steiner tree"  # how the text is picked
    train: AtLeastTwo = 300  # larders to train on, each with two questions for each number of hops
    test: AtLeastTwo = 100  # larders of the test, one question for each number of hops; as many validate
    steps: PositiveInt = 600  # optimizer steps of each training
    batch: PositiveInt = 64  # questions of a step, with names dealt out anew
    learning_rates: Annotated[tuple[PositiveFloat, ...], Different] = (3e-3,)  # of AdamW; the best on validation
    d_model: PositiveInt = 48  # width of the GPT
    layers: PositiveInt = 4  # blocks of the GPT
    seeds: Seeds = (0,)  # each draws other larders and weights


# Not 0: on its larders the networks were made what they are.
SEEDS = {"test": 300, "learning_rates": (1e-3, 3e-3), "seeds": (100, 101, 102, 103, 104)}
PRESETS = {
    "half": {**SEEDS, "budget": 8},
    "seeds": SEEDS,
    # Five times as long: does an arm that was behind catch up?
    "long": {**SEEDS, "train": 1000, "steps": 3000},
}


@dataclass(frozen=True)
class Results:
    # By arm and hops: right answers to the questions of the test, and half of the 95 % interval over the seeds.
    right: dict[str, dict[str, MeanInterval]]
    # The same with the graph of another question before each.
    shuffled: dict[str, dict[str, MeanInterval]]
    # By arm and hops: a reader that sees the text alone, follows its edges, and guesses where they end.
    reader: dict[str, dict[str, MeanInterval]]
    chance: Shares
    rates: dict[str, float]
    parameters: dict[str, int]


def train(config: Config, arm: Arm, asked: Asked, rate: float, generator: torch.Generator) -> GraphPromptGPT:
    """Return a model that was trained on some questions, with names dealt out anew in each step."""
    model = GraphPromptGPT(arm, d_model=config.d_model, layers=config.layers)
    prompts = prompts_of(asked, arm)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=config.steps + 1, pct_start=0.1, cycle_momentum=False, anneal_strategy="linear"
    )
    for _ in range(config.steps):
        batch, names = batch_of(prompts, config.batch, generator)
        loss = functional.cross_entropy(model(batch, names), answers_of(batch, names))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return model.eval()


@dataclass(frozen=True)
class Scores:
    """What one arm is worth with one seed."""

    rate: float
    parameters: int
    right: Shares
    shuffled: Shares
    reader: Shares


class Quizzes(NamedTuple):
    """Questions to train on, to validate with and of the test, about different larders."""

    train: Asked
    validation: Asked
    test: Asked


def draw_quizzes(config: Config, seed: int) -> Quizzes:
    generator = torch.Generator().manual_seed(seed)
    sizes = ((config.train, 2), (config.test, 1), (config.test, 1))
    return Quizzes(*(draw_quiz(larders, each, config.way, generator) for larders, each in sizes))


def compare(config: Config, arm: Arm, quizzes: Quizzes, seed: int, rates: Sequence[float]) -> Scores:
    """Train one arm with each rate, and score the one that is best on validation on the test."""
    best: tuple[float, float, GraphPromptGPT] | None = None
    for rate in rates:
        generator = seed_everything(seed)  # the same weights and the same batches for each rate
        model = train(config, arm, quizzes.train, rate, generator)
        found = score(model, prompts_of(quizzes.validation, arm), generator)["all"] if len(rates) > 1 else 1.0
        if best is None or found > best[0]:
            best = found, rate, model
    assert best is not None
    _, rate, model = best
    prompts, generator = prompts_of(quizzes.test, arm), torch.Generator().manual_seed(seed)
    other = torch.randperm(len(quizzes.test), generator=generator)
    lines = arm.tokens // EDGE_TOKENS
    reader = [reader_chance(text[:lines], question, larder.answer(question)) for larder, question, text in quizzes.test]
    return Scores(
        rate,
        sum(weight.numel() for weight in model.parameters()),
        score(model, prompts, generator),
        score(model, prompts, generator, other),
        by_hops(reader, prompts.hops.tolist()),
    )


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    scores: dict[str, list[Scores]] = {name: [] for name in arms(config.budget)}
    for seed in config.seeds:
        quizzes = draw_quizzes(config, config.seed + seed)
        for name, arm in tqdm(arms(config.budget).items(), desc=f"arms, seed {config.seed + seed}"):
            # The first seed searches, the others take what it found.
            rates = (scores[name][0].rate,) if scores[name] else config.learning_rates
            scores[name].append(compare(config, arm, quizzes, config.seed + seed, rates))
    right, shuffled, reader = (
        {name: intervals([getattr(each, field) for each in found]) for name, found in scores.items()}
        for field in ("right", "shuffled", "reader")
    )
    results = Results(
        right,
        shuffled,
        reader,
        chance={str(hops): 1 / len(KINDS[asked]) for hops, asked in zip(HOPS, ASKED, strict=True)},
        rates={name: found[0].rate for name, found in scores.items()},
        parameters={name: found[0].parameters for name, found in scores.items()},
    )
    report(results)
    return results


def intervals(shares: Sequence[Shares]) -> dict[str, MeanInterval]:
    """Return means and intervals over the seeds."""
    return {name: mean_interval([each[name] for each in shares]) for name in shares[0]}


def report(results: Results) -> None:
    for title, table in (("", results.right), (", other graph", results.shuffled), (", reader", results.reader)):
        for name, row in table.items():
            print(
                f"{name + title:<22}", "  ".join(f"{hops}: {show_interval(*pair, '.1%')}" for hops, pair in row.items())
            )


def plot(results: Results) -> Figure:
    """Draw right answers by hops, the arms beside each other; what a reader of the text can reach as a line."""
    figure, axes = new_figure(7.5, 3.8)
    width = 0.8 / len(results.right)
    for number, (name, row) in enumerate(results.right.items()):
        places = [index + number * width for index in range(len(row))]
        means, halves = zip(*row.values(), strict=True)
        axes.bar(places, means, width * 0.92, yerr=error_bars(halves), label=name, error_kw={"capsize": 2})
        for control, style in ((results.shuffled[name], ":"), (results.reader[name], "-")):
            for place, (mean, _) in zip(places, control.values(), strict=True):
                axes.plot(
                    [place - width / 2, place + width / 2], [mean] * 2, color="black", linestyle=style, linewidth=1.4
                )
    axes.set_xticks([index + 0.4 - width / 2 for index in range(4)], ["1 hop", "2 hops", "3 hops", "all"])
    axes.set(ylim=(0, 1.05), ylabel="right answers")
    figure.legend(ncols=4, loc="outside lower center", fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"right.*": TRAINED, "shuffled.*": TRAINED})
