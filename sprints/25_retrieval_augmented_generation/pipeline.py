"""Search, fuse, rank again, read: what is each stage of the pipeline worth, and what would a perfect one be worth?

    uv run sprints/25_retrieval_augmented_generation/pipeline.py
    uv run sprints/25_retrieval_augmented_generation/pipeline.py --synonyms 0 --passages 3

One stage at a time is left out, or replaced by its ideal. Theory: notes/12_the_whole_pipeline.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Literal

import numpy as np
import torch
from matplotlib.figure import Figure

from retrieval.bm25 import BM25
from retrieval.fusion import Fused
from retrieval.kinds import Retriever
from retrieval.pantry import BayesRanking, Pantry, Question
from retrieval.readers import copy, know, likelihoods, read_passage, weigh
from retrieval.reading import Example, judge
from retrieval.thesaurus import Thesaurus
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Fraction, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Stages:
    """Which parts a pipeline has.

    Args:
        searches: that are fused; "both" by places.
        found: whether the right passage is put among the candidates if it is missing: a perfect search.
        ranking: of the candidates: as the search has it, again by p(question | passage), or, of all passages, by Bayes.
        reader: copies, weighs what it reads, or knows the posterior: a perfect reader of what is shown.
    """

    searches: Literal["words", "thesaurus", "both"] = "both"
    found: bool = False
    ranking: Literal["search", "again", "bayes"] = "again"
    reader: Literal["copy", "weigh", "know"] = "weigh"


WHOLE = "the whole pipeline"
PIPELINES = {
    WHOLE: Stages(),
    "words alone": Stages("words"),
    "thesaurus alone": Stages("thesaurus"),
    "not ranked again": Stages(ranking="search"),
    "a reader that copies": Stages(reader="copy"),
    "a perfect search": Stages(found=True),
    "the best ranking": Stages(ranking="bayes"),
    "the best reader": Stages(reader="know"),
    "the best ranking and reader": Stages(ranking="bayes", reader="know"),
}
IDEAL = 5  # from here on a stage is replaced by its ideal


@dataclass(frozen=True)
class Config(ScriptConfig):
    synonyms: Fraction = 0.5  # the synonym rate
    candidates: AtLeastTwo = 20  # that the search finds
    passages: PositiveInt = 5  # of these that are read
    facts: AtLeastTwo = 1000  # passages of a pantry
    questions: PositiveInt = 100  # of each pantry
    seeds: AtLeastTwo = 5  # pantries

    def check(self) -> None:
        if not self.passages <= self.candidates <= self.facts:
            raise ValueError(
                f"--passages must be at most --candidates, and these at most --facts; got {self.passages}, "
                f"{self.candidates} and {self.facts}"
            )


@dataclass(frozen=True)
class Measured:
    """Means with intervals over pantries: answers that are right, the difference from the whole pipeline in each pantry
    and question, citations that are right among all citations, right answers with a wrong citation, and how often the
    right passage is shown to the reader."""

    right: MeanInterval
    difference: MeanInterval
    cited: MeanInterval
    by_luck: MeanInterval
    shown: MeanInterval


@dataclass(frozen=True)
class Results:
    pipelines: dict[str, Measured]


class Pipeline:
    """From a question to an answer with its source, in one pantry."""

    def __init__(self, pantry: Pantry, stages: Stages, config: Config) -> None:
        index = BM25(pantry.passages)
        words, thesaurus = index, Thesaurus(index)
        searches: dict[str, Retriever] = {"words": words, "thesaurus": thesaurus, "both": Fused([words, thesaurus])}
        self.search = searches[stages.searches]
        self.pantry, self.stages, self.config = pantry, stages, config
        self.facts = [read_passage(text) for text in pantry.passages]

    def show(self, question: Question) -> list[int]:
        """Return the numbers of the passages that the reader gets."""
        stages, config = self.stages, self.config
        if stages.ranking == "bayes":
            ranking = BayesRanking(self.pantry, config.synonyms).search(question.text, config.passages)
            return [number for number, _ in ranking]
        numbers = [number for number, _ in self.search.search(question.text, config.candidates)]
        if stages.found and question.fact not in numbers:
            numbers = [*numbers[: config.candidates - 1], question.fact]
        if stages.ranking == "again":
            weights = likelihoods(question, [self.facts[number] for number in numbers], config.synonyms)
            numbers = [numbers[place] for place in np.argsort(-weights, kind="stable")]
        return numbers[: config.passages]

    def answer(self, question: Question) -> dict[str, float]:
        """Return what became of a question."""
        numbers = self.show(question)
        texts = [self.pantry.passages[number] for number in numbers]
        if self.stages.reader == "copy":
            said = copy(question, texts)
        elif self.stages.reader == "weigh":
            said = weigh(question, texts, self.config.synonyms)
        else:
            said = know(question, self.pantry, numbers, self.pantry.posterior(question.text, self.config.synonyms))
        situation = "right" if question.fact in numbers else "missing"
        shown = tuple(self.pantry.facts[number] for number in numbers)
        judged = judge(Example(question, situation, tuple(numbers), shown), said.text)
        right = said.answer == question.answer
        return {
            "right": right,
            "cites": judged.cites,
            "cited": judged.cited_right,
            "by luck": right and not judged.cited_right,
            "shown": question.fact in numbers,
        }


def ask_all(pantry: Pantry, questions: Sequence[Question], stages: Stages, config: Config) -> dict[str, float]:
    """Return the shares of a pipeline on some questions."""
    pipeline = Pipeline(pantry, stages, config)
    answers = [pipeline.answer(question) for question in questions]
    found = {name: mean(float(answer[name]) for answer in answers) for name in answers[0]}
    return found | {"cited": found["cited"] / max(found["cites"], 1e-9)}


def main(config: Config) -> Results:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in PIPELINES}
    for seed in range(config.seed, config.seed + config.seeds):
        pantry, generator = Pantry(seed, config.facts), torch.Generator().manual_seed(seed + 1000)
        questions = [pantry.ask(generator, config.synonyms) for _ in range(config.questions)]
        for name, stages in PIPELINES.items():
            found[name].append(ask_all(pantry, questions, stages, config))
    whole = [shares["right"] for shares in found[WHOLE]]
    pipelines = {}
    for name, rows in found.items():
        means = {key: mean_interval([row[key] for row in rows]) for key in ("right", "cited", "by luck", "shown")}
        gained = mean_interval([row["right"] - base for row, base in zip(rows, whole, strict=True)])
        pipelines[name] = Measured(means["right"], gained, means["cited"], means["by luck"], means["shown"])
        print(f"{name:<28} right {show_interval(*means['right'], '.1%')}, {show_interval(*gained, '+.1%')}", end="")
        print(f"; cited {show_interval(*means['cited'], '.1%')}; shown {show_interval(*means['shown'], '.1%')}")
    return Results(pipelines)


def plot(results: Results) -> Figure:
    """Draw what becomes of the answers when a stage is left out or replaced by its ideal."""
    figure, axes = new_figure(7.2, 4.0)
    rows = {name: measured for name, measured in results.pipelines.items() if name != WHOLE}
    means = [100 * measured.difference[0] for measured in rows.values()]
    halves = [100 * half for half in error_bars([measured.difference[1] for measured in rows.values()])]
    colours = [COLOURS[3] if place < IDEAL - 1 else COLOURS[2] for place in range(len(rows))]
    axes.barh(range(len(rows)), means, xerr=halves, color=colours, capsize=3)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.invert_yaxis()
    axes.axvline(0, color="black", linewidth=1)
    whole = 100 * results.pipelines[WHOLE].right[0]
    axes.set_xlabel(f"right answers beside those of the whole pipeline ({whole:.0f} %), percentage points")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
