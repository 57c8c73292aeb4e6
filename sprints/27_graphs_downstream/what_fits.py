"""What does a budget of tokens let through? Three ways to pick the edges of a text, and one that gives the answer away.

    uv run sprints/27_graphs_downstream/what_fits.py

Nothing is trained. A reader follows the edges of the text as far as they lead, and guesses where they end. A blind
reader does not know which thing is asked about: what it gets right, the text has said by itself. Another one follows
the edges from any thing that the text has.
Theory: notes/14_a_graph_in_the_prompt.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from downstream.larder_questions import COUNTS, HOPS, Question, draw_larder, kind_of
from downstream.larder_texts import EDGE_TOKENS, PRIZE, PRIZED, WAYS, Edges, blind_chance, reader_chance
from shared.checks.intervals import MeanInterval, mean_interval
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, Even, PositiveFloat
from shared.lab.run import run


def any_thing_chance(edges: Edges, question: Question, answer: int) -> float:
    """Return how probably a blind reader is right who takes any thing of the text for the one that is asked about."""
    things = sorted({node for edge in edges for node in edge if kind_of(node) == "thing"})
    chances = [reader_chance(edges, Question(thing, question.hops), answer) for thing in things]
    return sum(chances) / len(chances) if chances else blind_chance(edges, question, answer)


READERS: dict[str, Callable[[Edges, Question, int], float]] = {
    "reader": reader_chance,
    "blind reader": blind_chance,
    "blind, any thing": any_thing_chance,
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    larders: AtLeastTwo = 300  # each with one question for each number of hops
    budgets: Annotated[tuple[Even, ...], Different] = (4, 6, 8, 12, 16, 24, 32, 48, 64)  # tokens, two an edge
    prize: PositiveFloat = PRIZE  # of each node of the asked kind; an edge costs 1


PRESETS = {"small_prize": {"prize": 2.5}}


@dataclass(frozen=True)
class Results:
    # By reader, way, hops and budget: the expected share of right answers, and half of its interval.
    right: dict[str, dict[str, dict[str, dict[str, MeanInterval]]]]
    # By way and hops: tokens of a text that is not cut.
    tokens: dict[str, dict[str, float]]


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(config.seed)
    asked = []
    for _ in range(config.larders):
        larder = draw_larder(generator)
        things = torch.randint(COUNTS["thing"], (len(HOPS),), generator=generator).tolist()
        asked += [(larder, Question(thing, hops)) for thing, hops in zip(things, HOPS, strict=True)]
    right = {name: {way: {} for way in WAYS} for name in READERS}
    tokens = {way: {} for way in WAYS}
    for way, plain in tqdm(WAYS.items(), desc="ways"):
        write = partial(plain, prize=config.prize) if way in PRIZED else plain
        for hops in HOPS:
            texts = [
                (write(larder, question, generator), question, larder.answer(question))
                for larder, question in asked
                if question.hops == hops
            ]
            tokens[way][str(hops)] = EDGE_TOKENS * sum(len(text) for text, _, _ in texts) / len(texts)
            for name, read in READERS.items():
                right[name][way][str(hops)] = {
                    str(budget): mean_interval([read(text[: budget // EDGE_TOKENS], *rest) for text, *rest in texts])
                    for budget in config.budgets
                }
    results = Results(right, tokens)
    report(results)
    return results


def report(results: Results) -> None:
    for name, ways in results.right.items():
        for way, rows in ways.items():
            for hops, row in rows.items():
                shares = "  ".join(f"{budget}: {share:.2f}" for budget, (share, _) in row.items())
                print(f"{name:<16} {way:<19} {hops} hops  {shares}")


def plot(results: Results) -> Figure:
    """Draw the shares of all readers over the budget, a panel for each number of hops."""
    figure, axes = new_figure(9.5, 7.6, len(READERS), len(HOPS))
    for row, (name, ways) in enumerate(results.right.items()):
        for axis, hops in zip(axes[row], HOPS, strict=True):
            for place, (way, shares) in enumerate(ways.items()):
                means, halves = zip(*shares[str(hops)].values(), strict=True)
                # A little apart, where several are 1.
                budgets = [int(budget) * (0.97 + 0.02 * place) for budget in shares[str(hops)]]
                axis.errorbar(budgets, means, halves, label=way, capsize=2, linewidth=1.3, marker="os^D"[place], ms=4)
            axis.set(xscale="log", ylim=(0, 1.05), title=f"{name}, {hops} {'hop' if hops == 1 else 'hops'}")
            ticks = list(ways["whole larder"][str(hops)])
            axis.set_xticks([int(tick) for tick in ticks], ticks, fontsize=8)
            axis.minorticks_off()
    for axis in axes[-1]:
        axis.set_xlabel("tokens of text")
    for row in axes:
        row[0].set_ylabel("right answers")
    figure.legend(*axes[0][0].get_legend_handles_labels(), ncols=4, loc="outside lower center", fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS)
