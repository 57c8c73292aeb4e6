"""Test figures of linkers: how often each rule is right, with intervals over texts, and where it is not."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool
from torch import Tensor

from knowledge.candidate_choice import Interval, Scores, grouped_interval, hits
from knowledge.linker import SUM, Linker, refusals
from knowledge.linking import without, words_of
from knowledge.linking_exam import LinkExam

OPTIMUM, TITLE_KEPT = "best possible", "BM25, own title kept"


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


def figures(
    exams: Sequence[LinkExam],
    windows: Sequence[int],
    optima: Sequence[Callable[[LinkExam], Scores]],
    generator: torch.Generator,
) -> Measured:
    """Return the figures of a linker on each of some examinations of one kind.

    Args:
        exams: one for each dictionary.
        windows: numbers of words on each side that are tried.
        optima: what gives the best possible scores of each examination's test; none where nobody knows them.
        generator: draws the resamples of intervals.
    """
    columns: dict[str, list[Tensor]] = defaultdict(list)
    tens, chosen, weights = defaultdict(list), defaultdict(list), defaultdict(list)
    texts, answered, candidates, thresholds = [], [], [], []
    refused: dict[str, list[Tensor]] = defaultdict(list)
    groups: dict[str, list[Tensor]] = defaultdict(list)
    for number, exam in enumerate(exams):
        linker, options = Linker(exam, windows), exam.options[2]
        scores = linker.scores(2)
        kept = replace(exam, own_title=True, encode=None)
        scores[TITLE_KEPT] = kept.by_context(2, "BM25", linker.windows["BM25"])
        if optima:
            scores[OPTIMUM] = optima[number](exam)
        for name, found in scores.items():
            columns[name].append(hits(found, options))
            tens[name].append(hits(found, options, 10))
        for name, value in linker.windows.items():
            chosen[name].append(value)
        for name, value in linker.weights.items():
            weights[name].append(value)
        texts += [(number, question.source) for question in exam.parts[2]]
        answered.append(options.answers >= 0)
        candidates.append(options.allowed.sum(dim=1))
        groups["its text names the source"].append(says_source(exam))
        groups["never meant in training"].append(exam.times[torch.tensor([q.entry or 0 for q in exam.parts[2]])] == 0)
        if not answered[-1].all():
            outcome = refusals(linker, scores[SUM])
            thresholds.append(outcome.threshold)
            for name in ("always", "right", "refused", "none"):
                refused[name].append(getattr(outcome, name).float())
    known = torch.cat(answered)
    number_of = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    source = torch.tensor([number_of[text] for text in texts])
    right = {name: torch.cat(column) for name, column in columns.items()}

    def interval(values: Tensor, among: Tensor) -> Interval:
        return grouped_interval(values[among], source[among], generator)

    both = {name: torch.cat(found) for name, found in groups.items()}
    both |= {f"not: {name}": ~found for name, found in both.items()}
    both = {name: found & known for name, found in both.items() if (found & known).any()}
    return Measured(
        [sum(sum(q.entry is not None for q in exam.parts[part]) for exam in exams) for part in range(3)],
        len(source[known].unique()),
        float(torch.cat(candidates)[known].double().mean()),
        float((1 / torch.cat(candidates)[known].double()).mean()),
        {name: interval(found, known) for name, found in right.items()},
        {name: float(torch.cat(found)[known].mean()) for name, found in tens.items()},
        {name: interval(right[SUM] - found, known) for name, found in right.items() if name != SUM},
        dict(chosen),
        dict(weights),
        {group: {name: interval(found, among) for name, found in right.items()} for group, among in both.items()},
        {group: float(among.double().sum() / known.sum()) for group, among in both.items()},
        _missing({name: torch.cat(found) for name, found in refused.items()}, thresholds, interval)
        if refused
        else None,
    )


def _missing(
    outcomes: dict[str, Tensor], thresholds: list[float], interval: Callable[[Tensor, Tensor], Interval]
) -> Missing:
    none = outcomes["none"].bool()
    everyone = torch.ones_like(none)
    return Missing(
        int(none.sum()),
        float(none.double().mean()),
        thresholds,
        interval(outcomes["always"], everyone),
        interval(outcomes["right"], everyone),
        interval(outcomes["right"] - outcomes["always"], everyone),
        float(outcomes["refused"][none].mean()),
        float(outcomes["refused"][~none].mean()),
    )
