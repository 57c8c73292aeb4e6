"""How much can be answered without any graph, by who remembers other questions about the same larder?

    uv run sprints/27_graphs_downstream/same_larder_again.py

Questions are split instead of larders: some of the thirty questions about a larder are for training, the others for the
test. Nothing is trained; a memory draws its conclusions. Theory: notes/14_a_graph_in_the_prompt.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure

from downstream.larder_memory import remembered
from downstream.larder_questions import COUNTS, HOPS, Larder, Question, draw_larder
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Different, Share
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    larders: AtLeastTwo = 100  # each with thirty questions
    shares: Annotated[tuple[Share, ...], Different] = (0.0, 0.2, 0.4, 0.6, 0.8)  # of the questions, for training


@dataclass(frozen=True)
class Results:
    shares: list[float]
    # For each share: the expected share of right answers to the other questions, without a graph.
    right: list[MeanInterval]


def split_questions(larder: Larder, share: float, generator: torch.Generator) -> float:
    """Return how much of the test a memory of the training questions answers: wrong, both are about one larder."""
    questions = [Question(thing, hops) for thing in range(COUNTS["thing"]) for hops in HOPS]
    answers = {question: larder.answer(question) for question in questions}
    order = [questions[place] for place in torch.randperm(len(questions), generator=generator).tolist()]
    cut = round(share * len(order))
    trained, asked = ({question: answers[question] for question in part} for part in (order[:cut], order[cut:]))
    return remembered(trained, asked)


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(config.seed)
    larders = [draw_larder(generator) for _ in range(config.larders)]
    right = [
        mean_interval([split_questions(larder, share, generator) for larder in larders]) for share in config.shares
    ]
    for share, (value, half) in zip(config.shares, right, strict=True):
        print(f"{share:4.0%} of the questions seen: {show_interval(value, half, '.1%')} of the others right, no graph")
    return Results(list(config.shares), right)


def plot(results: Results) -> Figure:
    """Draw the share of right answers over the share of questions that were seen."""
    figure, axis = new_figure(6.5, 3.4)
    values, halves = zip(*results.right, strict=True)
    axis.errorbar(results.shares, values, error_bars(halves), color=COLOURS[1], marker="o", capsize=3)
    axis.axhline(values[0], color="black", linestyle=":")
    axis.text(max(results.shares), values[0] + 0.02, "split by larders: a guess among names", ha="right", fontsize=9)
    axis.set(ylim=(0, 1), xlabel="share of a larder's questions seen in training", ylabel="right answers, no graph")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
