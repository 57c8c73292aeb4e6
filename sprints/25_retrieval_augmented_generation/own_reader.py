"""Does a reader find the sentence that words alone do not? SmolLM2 over the pages of this course, thirty questions.

    uv run sprints/25_retrieval_augmented_generation/own_reader.py
    uv run sprints/25_retrieval_augmented_generation/own_reader.py --model smollm2

In how many pieces one looks, how much the words count beside the model, and from what score on a sentence is given is
chosen on twenty other questions; the thirty are asked once. The default looks at words alone. Theory:
notes/13_ones_own_folder.md
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import torch
from tqdm import tqdm

from retrieval.asking import Asker, sentences_of
from retrieval.bm25 import BM25
from retrieval.encoders import WORDS_ONLY
from retrieval.folder import find_files
from retrieval.kinds import Retriever
from retrieval.known import Known, own_questions
from retrieval.likely_question import QuestionLikelihood
from retrieval.own_exam import Outcome, is_page, overlaps, rightly, threshold
from retrieval.sections import with_headings
from retrieval.store import Store
from retrieval.words import Words
from shared.checks.intervals import share_interval
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.paths import SPRINTS
from shared.lab.ranges import PositiveInt
from shared.lab.run import run, run_folder

PRESETS = {"smollm2": {"model": "smollm2"}}
PIECES, WEIGHTS = (1, 3, 5), (0.0, 1.0, 3.0, 10.0)  # in which sentences are looked for; of the words beside the model


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = ""  # what reads beside the words: nothing, smollm2 (group models), or a folder of transformers
    read: PositiveInt = 5  # sentences of each piece that are read, those with most words of the question
    most: PositiveInt = 1000  # questions of each part that are asked: fewer, to try it


@dataclass(frozen=True)
class Candidate:
    """A sentence: the place of its piece, counted from 0; words it shares, what it saves; whether it is right."""

    piece: int
    words: float
    gain: float
    right: bool
    at_first: bool  # whether it is right at the place that the question was written from
    exact: bool  # whether it stands where its place says


@dataclass(frozen=True)
class Score:
    pieces: int  # chosen, as are the next two
    weight: float | None  # of the words beside the model; None: words alone
    enough: float
    chosen_on: int  # of the twenty that were treated rightly with this choice
    answered_rightly: int
    answered_wrongly: int
    abstained_rightly: int
    abstained_wrongly: int
    sentences: int  # of the questions that have an answer
    exact: int
    outcomes: list[Outcome]


@dataclass(frozen=True)
class Results:
    questions: int
    ways: dict[str, Score]


def candidates(
    asker: Asker, search: Retriever, reader: QuestionLikelihood | None, known: Known, read: int
) -> list[Candidate]:
    """Return the sentences that are read for a question."""
    found: list[Candidate] = []
    for place, (number, _) in enumerate(search.search(known.question, max(PIECES))):
        chunk = asker.indexed.chunks[number]
        document, inside = asker.indexed.documents[chunk.document], sentences_of(chunk)
        texts = [one.text for one in inside]
        windows = [" ".join(texts[max(0, at - 1) : at + 2]) for at in range(len(texts))]
        if not texts:
            continue
        words = asker.confidences(known.question, [*texts, *windows]).reshape(2, -1).mean(axis=0)
        best = (-words).argsort(kind="stable")[:read].tolist()
        title = f"{document.title}. " if document.title else ""
        gains = (
            [0.0] * len(best) if reader is None else reader.gains(known.question, [title + windows[at] for at in best])
        )
        for at, gain in zip(best, gains, strict=True):
            one = inside[at]
            where = document.place(one.start, one.end)
            lines = "\n".join(document.text.split("\n")[where.first - 1 : where.last])
            right, at_first = (overlaps(where, known.at(asker.indexed.documents, most)) for most in (None, 1))
            found.append(Candidate(place, float(words[at]), gain, right, at_first, one.text in lines))
    return found


def outcomes(
    asked: Sequence[Known], sentences: Sequence[Sequence[Candidate]], pieces: int, weight: float | None
) -> list[tuple[Outcome, Candidate | None]]:
    """Return what is said to each question, with its score as a confidence between 0 and 1."""

    def score(one: Candidate) -> float:
        return one.words if weight is None else 1 / (1 + math.exp(-one.gain - weight * one.words))

    found = []
    for known, row in zip(asked, sentences, strict=True):
        inside = [one for one in row if one.piece < pieces]
        best = max(inside, key=score, default=None)
        sure, right, at_first = (0.0, False, False) if best is None else (score(best), best.right, best.at_first)
        first, among = (any(one.right for one in inside if one.piece <= last) for last in (0, pieces))
        found.append((Outcome(known.question, bool(known.places), sure, first, among, right, at_first), best))
    return found


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    store = Store(run_folder(config, __file__) / "index", WORDS_ONLY)
    store.update(find_files(SPRINTS, is_page), lambda names: tqdm(names, unit="file"))
    asker = Asker(store.load(), WORDS_ONLY, enough=0.0)
    chunks, documents = asker.indexed.chunks, asker.indexed.documents
    search = BM25([with_headings(documents[one.document], one) for one in chunks], Words(stem=True))
    reader = QuestionLikelihood(config.model) if config.model else None
    parts = [own_questions(part)[: config.most] for part in ("questions", "test")]
    read = [
        [candidates(asker, search, reader, one, config.read) for one in tqdm(part, desc=name, unit="question")]
        for name, part in zip(("others", "test"), parts, strict=True)
    ]
    ways: dict[str, tuple[float | None, ...]] = {"words": (None,)}
    if reader is not None:
        ways["words and reader"] = WEIGHTS
    scores = {}
    for name, weights in ways.items():
        chosen = []
        for pieces, weight in product(PIECES, weights):
            tried = [one for one, _ in outcomes(parts[0], read[0], pieces, weight)]
            enough = threshold(tried)
            chosen.append((rightly(tried, enough), sum(one.sentence for one in tried), pieces, weight, enough))
        right, _, pieces, weight, enough = max(chosen, key=lambda row: row[:2])
        said = outcomes(parts[1], read[1], pieces, weight)
        found = [one for one, _ in said]
        given = [one for one in found if one.confidence >= enough]
        silent = [one for one in found if one.confidence < enough]
        scores[name] = score = Score(
            pieces, weight, enough, right, sum(one.sentence for one in given),
            sum(not one.sentence for one in given), sum(not one.answerable for one in silent),
            sum(one.answerable for one in silent), sum(one.sentence for one in found),
            sum(best.exact for _, best in said if best is not None), found,
        )  # fmt: skip
        low, high = share_interval(rightly(found, enough), len(found))
        print(
            f"{name}: {pieces} pieces, weight {weight}, from {enough:.2f} on; {right} of {len(parts[0])} others rightly"
        )
        print(
            f"  of {len(found)}: {score.answered_rightly} answered rightly, {score.answered_wrongly} wrongly; silent ",
            end="",
        )
        print(f"rightly {score.abstained_rightly}, wrongly {score.abstained_wrongly}: {low:.0%} to {high:.0%}")
    return Results(len(parts[1]), scores)


if __name__ == "__main__":
    run(main, Config, presets=PRESETS, tolerance={"*": Tolerance(relative=0.1, absolute=2)})
