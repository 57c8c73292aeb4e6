"""Does it find what is known to be there? Thirty questions over the pages of this course, written down beforehand.

    uv run sprints/25_retrieval_augmented_generation/own_questions.py
    uv run sprints/25_retrieval_augmented_generation/own_questions.py --models words minilm

Twenty-four have an answer, whose file and lines are known; six have none. From what confidence on a sentence is given
is chosen on twelve other questions. Theory: notes/13_ones_own_folder.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from retrieval.asking import Asker, ModelName, encoder_named
from retrieval.folder import find_files
from retrieval.known import Part, own_questions
from retrieval.own_exam import Outcome, hits, is_exact, is_page, rightly, threshold
from retrieval.store import Store
from shared.checks.intervals import share_interval
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.paths import SPRINTS
from shared.lab.ranges import PositiveInt
from shared.lab.run import run, run_folder

PRESETS = {"minilm": {"models": ("words", "minilm")}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    models: tuple[ModelName, ...] = ("words",)  # what finds: BM25 alone, or with vectors of MiniLM (group models)
    sources: PositiveInt = 3  # pieces in which the sentence is looked for


@dataclass(frozen=True)
class Score:
    enough: float  # chosen on the validation questions
    answered_rightly: int
    answered_wrongly: int
    abstained_rightly: int
    abstained_wrongly: int
    first: int  # of the questions that have an answer
    among: int
    sentences: int
    exact: int  # sources whose text stands at the lines that are named
    sources: int
    outcomes: list[Outcome]


@dataclass(frozen=True)
class Results:
    files: int
    chunks: int
    answerable: int
    questions: int
    models: dict[str, Score]


def ask_all(asker: Asker, part: Part, sources: int) -> tuple[list[Outcome], list[bool]]:
    """Return what was found of each question, and for each source whether it is where it says."""
    outcomes, exact = [], []
    for known in tqdm(own_questions(part), desc=part, unit="question"):
        answer = asker.ask(known.question, sources)
        found, sentence = hits(answer, asker, known)
        _, at_first = hits(answer, asker, known, most=1)
        confidence = 0.0 if answer is None else answer.confidence
        outcomes.append(
            Outcome(known.question, bool(known.places), confidence, found[:1] == [True], any(found), sentence, at_first)
        )
        exact += [] if answer is None else is_exact(asker, answer)
    return outcomes, exact


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    files, models, chunks = find_files(SPRINTS, is_page), {}, 0
    for name in config.models:
        encoder = encoder_named(name)
        store = Store(run_folder(config, __file__) / f"index-{name}", encoder)
        store.update(files, lambda names: tqdm(names, unit="file"))
        asker = Asker(store.load(), encoder, enough=0.0)
        chunks = len(asker.indexed.chunks)
        enough = threshold(ask_all(asker, "validation", config.sources)[0])
        outcomes, exact = ask_all(asker, "test", config.sources)
        given = [outcome for outcome in outcomes if outcome.confidence >= enough]
        right, silent = sum(one.sentence for one in given), [one for one in outcomes if one.confidence < enough]
        models[name] = score = Score(
            enough, right, len(given) - right, sum(not one.answerable for one in silent),
            sum(one.answerable for one in silent), *(sum(getattr(one, what) for one in outcomes)
            for what in ("first", "among", "sentence")), sum(exact), len(exact), outcomes,
        )  # fmt: skip
        low, high = share_interval(rightly(outcomes, enough), len(outcomes))
        print(f"{name}: a source is right for {score.among} of the answerable, the first for {score.first}, ", end="")
        print(f"the sentence for {score.sentences}; {sum(exact)} of {len(exact)} places are exact")
        print(
            f"  from confidence {enough:.2f} on: {right} answered rightly, {score.answered_wrongly} wrongly; ", end=""
        )
        print(f"silent rightly {score.abstained_rightly}, wrongly {score.abstained_wrongly}: {low:.0%} to {high:.0%}")
    questions = own_questions("test")
    return Results(len(files), chunks, sum(bool(one.places) for one in questions), len(questions), models)


def plot(results: Results) -> Figure:
    """Draw each question by its confidence: right, wrong, or without an answer, and where the line was drawn."""
    figure, axes = new_figure(7.0, 1.2 + 1.3 * len(results.models))
    kinds = (
        ("sentence right", COLOURS[0], "o"),
        ("sentence wrong", COLOURS[3], "X"),
        ("has no answer", "#777777", "s"),
    )
    for row, score in enumerate(results.models.values()):
        for step, (_, colour, marker) in enumerate(kinds):
            chosen = [
                one.confidence for one in score.outcomes if (2 if not one.answerable else int(not one.sentence)) == step
            ]
            axes.plot(chosen, [row + 0.2 - 0.2 * step] * len(chosen), marker, color=colour, alpha=0.7, clip_on=False)
        axes.plot([score.enough] * 2, [row - 0.4, row + 0.4], color="black", linewidth=1)
    for step, (words, colour, _) in enumerate(kinds):
        axes.text(1.02, 0.2 - 0.2 * step, words, color=colour, fontsize=9, va="center")
    names = ["words and MiniLM" if name == "minilm" else name for name in results.models]
    axes.set_yticks(range(len(names)), names)
    axes.set(
        xlabel="confidence; the line: from here on a sentence is given",
        xlim=(0, 1),
        ylim=(-0.5, len(results.models) - 0.5),
    )
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": Tolerance(relative=0.1, absolute=2)})
