"""Questions in words: parsed into paths, or answered from what a search finds, with as many tokens to read for all.

    uv run sprints/26_dynamic_knowledge_graph/ask_in_words.py
    uv run sprints/26_dynamic_knowledge_graph/ask_in_words.py --seeds 1 --steps 100 --questions 20

A small encoder-decoder learns to parse, from wordings whose names are hidden. Beside it a reader that is given the true
path, and sentences by BM25, or facts around the entity that was named. Theory: notes/15_asking_in_words.md
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from knowledge.asked import Questions
from knowledge.parsers import HOPS, Grammar, Parser, draw_example
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Fraction, PositiveFloat, PositiveInt
from shared.lab.run import run

WORDINGS = {"as in training": 0, "one is new": 1, "two are new": 2}
SHARES = (0.25, 0.5, 0.75, 1.0)  # of the tokens for facts: chosen in another world
SEARCHES = {"sentences": False, "sentences, a search for each hop": True}
VALIDATION = 1000  # seed of that world


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: PositiveInt = 600  # of the training of a parser
    batch_size: PositiveInt = 32  # questions of a step
    learning_rate: PositiveFloat = 3e-3  # peak
    hidden: Fraction = 0.05  # of the words of a question are hidden in training: they stand for words it does not know
    parsed: PositiveInt = 300  # questions for each number of hops and kind of wordings
    size: PositiveInt = 1000  # things that happen in a world, five a day
    persons: PositiveInt = 60  # of a world
    shops: PositiveInt = 20  # of a world
    questions: PositiveInt = 100  # with an answer, for each number of hops in a world
    budgets: tuple[PositiveInt, ...] = (50, 200, 800)  # tokens that a reader gets
    seeds: PositiveInt = 5  # worlds, and a parser for each


@dataclass(frozen=True)
class Chosen:
    """What was chosen in a world of its own."""

    name_alone: dict[str, bool]  # whether the first search is for the name alone, by way
    shares: dict[str, float]  # of the tokens for facts, by budget


@dataclass(frozen=True)
class Results:
    parsed: dict[str, dict[str, MeanInterval]]  # paths that are right, by wordings and hops
    lists: dict[str, dict[str, float]]  # the same of a list of the wordings of training, and of one of all, by wordings
    graph: dict[str, dict[str, MeanInterval]]  # right answers by who says the path, and hops
    read: dict[str, dict[str, dict[str, MeanInterval]]]  # right answers by what is read, hops and budget
    chosen: Chosen
    loss: float  # of the last 20 steps, mean over parsers


def train(config: Config, seed: int) -> tuple[Parser, float]:
    """Return a parser, and the mean loss of its last 20 steps."""
    parser = Parser(torch.Generator().manual_seed(seed))
    progress = parser.train(Random(f"training {seed}"), config.steps, config.batch_size,
                            config.learning_rate, config.hidden)  # fmt: skip
    losses = list(tqdm(progress, total=config.steps, desc=f"parser {seed}", leave=False))[-20:]
    return parser, sum(losses) / len(losses)


def of_list(tests: dict, unseen: bool, words: str) -> float:
    """Return how many questions a list of wordings reads in one way, and in the right one."""
    grammar = Grammar(unseen)
    found = [grammar.readings(source) == {target} for hops in HOPS for source, target in tests[words, hops]]
    return sum(found) / len(found)


def choose(config: Config, world: Questions) -> Chosen:
    """Return what is best in a world that is not asked afterwards."""

    def best(options: Sequence[Any], right: Callable[[Any, int, int], float], budgets: Sequence[int]) -> Any:
        return max(options, key=lambda one: sum(right(one, hops, tokens) for hops in HOPS for tokens in budgets))

    return Chosen(
        {way: best((False, True), lambda one, hops, tokens, again=again: world.by_sentences(hops, tokens, again, one),
                   config.budgets) for way, again in SEARCHES.items()},
        {str(budget): best(SHARES, lambda one, hops, tokens: world.by_facts(hops, tokens, one), (budget,))
         for budget in config.budgets},
    )  # fmt: skip


def right_in_world(config: Config, world: Questions, chosen: Chosen, parser: Parser, rng: Random) -> dict:
    """Return right answers by way, hops and budget."""
    row: dict[tuple, float] = {}
    for hops in HOPS:
        row["the true path", hops] = world.by_graph(hops)
        for words, new in WORDINGS.items():
            row[f"parsed, {words}", hops] = world.by_parser(hops, parser, new, rng)
        for tokens in config.budgets:
            for way, again in SEARCHES.items():
                row[way, hops, tokens] = world.by_sentences(hops, tokens, again, chosen.name_alone[way])
            row["facts and sentences", hops, tokens] = world.by_facts(hops, tokens, chosen.shares[str(tokens)])
    return row


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    size = (config.size, config.persons, config.shops, config.questions)
    tests = {
        (words, hops): [draw_example(Random(f"{words} {hops} {place}"), hops, new) for place in range(config.parsed)]
        for words, new in WORDINGS.items() for hops in HOPS
    }  # fmt: skip
    chosen = choose(config, Questions(VALIDATION, *size))
    rows, losses = [], []
    for seed in tqdm(range(config.seed, config.seed + config.seeds), unit="world"):
        parser, loss = train(config, seed)
        losses.append(loss)
        row = right_in_world(config, Questions(seed, *size), chosen, parser, Random(f"wordings {seed}"))
        for key, examples in tests.items():
            said = parser.parse([source for source, _ in examples])
            right = [one == target for one, (_, target) in zip(said, examples, strict=True)]
            row["parsed", *key] = sum(right) / len(right)
        rows.append(row)

    def over(*key: object) -> MeanInterval:
        return mean_interval([row[key] for row in rows])

    results = Results(
        {words: {str(hops): over("parsed", words, hops) for hops in HOPS} for words in WORDINGS},
        {name: {words: of_list(tests, unseen, words) for words in WORDINGS}
         for name, unseen in {"of training": False, "of all": True}.items()},
        {way: {str(hops): over(way, hops) for hops in HOPS}
         for way in ("the true path", *(f"parsed, {words}" for words in WORDINGS))},
        {way: {str(hops): {str(tokens): over(way, hops, tokens) for tokens in config.budgets} for hops in HOPS}
         for way in (*SEARCHES, "facts and sentences")},
        chosen,
        sum(losses) / len(losses),
    )  # fmt: skip
    for name, found in vars(results).items():
        print(f"{name}: {found}")
    return results


def plot(results: Results) -> Figure:
    """Draw right answers by budget, a panel for each number of hops."""
    figure, panels = new_figure(8.2, 3.6, columns=len(HOPS))
    for hops, axes in zip(results.read["sentences"], panels, strict=True):
        for place, (way, found) in enumerate(results.read.items()):
            means, halves = zip(*found[hops].values(), strict=True)
            budgets = [int(tokens) * 1.04 ** (place - 1) for tokens in found[hops]]
            axes.errorbar(budgets, means, error_bars(halves), fmt="o-", capsize=3, color=COLOURS[place], label=way)
        for way, style in (("the true path", "--"), ("parsed, one is new", ":")):
            axes.axhline(results.graph[way][hops][0], color="#555555", linestyle=style, label=f"graph: {way}")
        axes.set(xscale="log", xlabel="tokens to read", ylim=(0, 1.03), title=f"{hops} hop{'s' * (hops != '1')}")
        axes.set_xticks([int(tokens) for tokens in found[hops]], list(found[hops]), minor=False)
        axes.minorticks_off()
    panels[0].set_ylabel("right answers (whole set)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED})
