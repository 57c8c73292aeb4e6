"""Test figures of linkers: how often each rule is right, with intervals over texts, and where it is not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from knowledge.candidate_choice import Interval, Scores, grouped_interval, hits
from knowledge.linker import SUM, Linker, Refusals, refusals
from knowledge.linking import without, words_of
from knowledge.linking_exam import LinkExam

OPTIMUM, TITLE_KEPT = "best possible", "BM25, own title kept"
NAMES_SOURCE, NEVER_MEANT = "its text names the source", "never meant in training"


@dataclass(frozen=True)
class Missing:
    """Mentions without an entry among those of the test, and what a threshold does to them."""

    questions: int
    share: float
    thresholds: list[float]
    always: Interval  # right, if there is always an answer
    with_threshold: Interval
    gain: Interval
    found: float  # of the mentions without an entry, the share that was refused
    refused: float  # of those with an entry


@dataclass(frozen=True)
class Measured:
    """Figures of one kind of mention, of all dictionaries together; but for `missing`, of those with an entry."""

    questions: list[int]  # of training, validation and test
    texts: int  # that the mentions of the test stand in
    candidates: float  # on average
    chance: float
    accuracy: dict[str, Interval]
    first_ten: dict[str, float]  # how often the right one is among the best ten
    ahead: dict[str, Interval]  # the weighted sum of each other rule, mention by mention
    windows: dict[str, list[int]]  # by dictionary
    weights: dict[str, list[float]]
    groups: dict[str, dict[str, Interval]]  # accuracy by group of mentions
    shares: dict[str, float]  # of the mentions that are in each group
    missing: Missing | None


def says_source(exam: LinkExam) -> Bool[Tensor, " questions"]:
    """Return for each mention of the test whether the text of the entry that is meant has a name of its source."""
    found = []
    for question in exam.parts[2]:
        names = [words_of(name) for name in exam.dictionary.names[question.source]]
        text = [] if question.entry is None else exam.dictionary.texts[question.entry]
        found.append(len(without(text, names)) < len(text))
    return torch.tensor(found)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a linker does with each mention of one dictionary's test; tensors are (questions).

    Args:
        exam: the examination.
        linker: that was set up with it.
        right: how probably each rule is right, and
        first_ten: has the right one among its first ten.
        refusals: what a threshold does; None where every mention has an entry.
    """

    exam: LinkExam
    linker: Linker
    right: dict[str, Tensor]
    first_ten: dict[str, Tensor]
    refusals: Refusals | None

    @property
    def groups(self) -> dict[str, Bool[Tensor, " questions"]]:
        """Return which mentions are in which group."""
        meant = torch.tensor([question.entry or 0 for question in self.exam.parts[2]])
        found = {NAMES_SOURCE: says_source(self.exam), NEVER_MEANT: self.exam.times[meant] == 0}
        return found | {f"not: {name}": ~group for name, group in found.items()}


def examine(exam: LinkExam, windows: Sequence[int], optimum: Callable[[LinkExam], Scores] | None = None) -> Outcome:
    """Set up a linker and let it link the test.

    Args:
        exam: the examination.
        windows: numbers of words on each side that are tried.
        optimum: gives the best possible scores of the test; None where nobody knows them.
    """
    linker, options = Linker(exam, windows), exam.options[2]
    scores = linker.scores(2)
    kept = replace(exam, own_title=True, encode=None)
    scores[TITLE_KEPT] = kept.by_context(2, "BM25", linker.windows["BM25"])
    if optimum is not None:
        scores[OPTIMUM] = optimum(exam)
    return Outcome(
        exam,
        linker,
        {name: hits(found, options) for name, found in scores.items()},
        {name: hits(found, options, 10) for name, found in scores.items()},
        None if (options.answers >= 0).all() else refusals(linker, scores[SUM]),
    )


def figures(outcomes: Sequence[Outcome], generator: torch.Generator) -> Measured:
    """Return the figures of one kind of mention in one dictionary or several.

    Args:
        outcomes: one for each dictionary.
        generator: draws the resamples of intervals.
    """
    exams = [outcome.exam for outcome in outcomes]
    options = [exam.options[2] for exam in exams]
    known = torch.cat([some.answers >= 0 for some in options])
    candidates = torch.cat([some.allowed.sum(dim=1) for some in options])[known].double()
    texts = [(number, question.source) for number, exam in enumerate(exams) for question in exam.parts[2]]
    number_of = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    source = torch.tensor([number_of[text] for text in texts])

    def interval(values: Tensor, among: Tensor) -> Interval:
        return grouped_interval(values[among], source[among], generator)

    right = _joined([outcome.right for outcome in outcomes])
    groups = {name: group & known for name, group in _joined([outcome.groups for outcome in outcomes]).items()}
    groups = {name: group for name, group in groups.items() if group.any()}
    refused = [outcome.refusals for outcome in outcomes if outcome.refusals is not None]
    return Measured(
        questions=[sum(sum(q.entry is not None for q in exam.parts[part]) for exam in exams) for part in range(3)],
        texts=len(source[known].unique()),
        candidates=float(candidates.mean()),
        chance=float((1 / candidates).mean()),
        accuracy={name: interval(found, known) for name, found in right.items()},
        first_ten={n: float(f[known].mean()) for n, f in _joined([outcome.first_ten for outcome in outcomes]).items()},
        ahead={name: interval(right[SUM] - found, known) for name, found in right.items() if name != SUM},
        windows=_columns([outcome.linker.windows for outcome in outcomes]),
        weights=_columns([outcome.linker.weights for outcome in outcomes]),
        groups={group: {n: interval(found, among) for n, found in right.items()} for group, among in groups.items()},
        shares={name: float(group.double().sum() / known.sum()) for name, group in groups.items()},
        missing=_missing(refused, interval) if len(refused) == len(outcomes) else None,
    )


def _joined(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _columns(rows: Sequence[dict[str, Any]]) -> dict[str, list]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _missing(refused: Sequence[Refusals], interval: Callable[[Tensor, Tensor], Interval]) -> Missing:
    always, right, said, none = (
        torch.cat([getattr(some, name) for some in refused]) for name in ("always", "right", "refused", "none")
    )
    everyone = torch.ones_like(none)
    return Missing(
        questions=int(none.sum()),
        share=float(none.double().mean()),
        thresholds=[some.threshold for some in refused],
        always=interval(always, everyone),
        with_threshold=interval(right, everyone),
        gain=interval(right - always, everyone),
        found=float(said[none].double().mean()),
        refused=float(said[~none].double().mean()),
    )
