"""What a reader is worth: its answers, its citations and its beliefs, beside the best reader and readers by rule."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import mean

import numpy as np

from retrieval.coverage import COVERAGES, errors_by_coverage
from retrieval.reader_tasks import Kitchen
from retrieval.readers import SILENT, Said, copy, least_belief, weigh
from retrieval.reading import UNKNOWN, Example, judge
from retrieval.reading_optimum import Shares, believe
from retrieval.trained_reader import TrainedReader
from shared.checks.intervals import MeanInterval, mean_interval

SHARES = Shares(right=0.6, missing=0.3, conflict=0.1)  # of `TEN_TASKS`
BEST, RULE = "the best reader", "weighs by rule"
Read = Callable[[Sequence[Example]], list[Said]]


@dataclass(frozen=True)
class Marks:
    """Shares of tasks, and what follows from beliefs.

    Args:
        right: of tasks whose passage is there: answered rightly.
        cited: of all citations: those of the passage that states the fact of the question.
        silent: of tasks whose passage is missing: "I do not know".
        correct: of all tasks.
        curve: errors among the surest answers, by the share of tasks that are answered; a passage that is missing makes
            every answer an error.
        points: by the price of an error: of a task on average, if those above Chow's threshold are answered.
        belief: how sure the reader is on average that its answers are right.
        answers_right: share of answers that are right if all are answered.
    """

    right: float
    cited: float
    silent: float
    correct: float
    curve: dict[str, float]
    points: dict[str, float]
    belief: float
    answers_right: float


def marks(examples: Sequence[Example], said: Sequence[Said], forced: Sequence[Said], prices: Sequence[float]) -> Marks:
    """Return what answers are worth.

    Args:
        examples: tasks with and without the right passage.
        said: the answers, "I do not know" among them.
        forced: the answers if there has to be one, with their beliefs; these make curve and points.
        prices: points that an error costs.
    """
    judged = [judge(example, one.text) for example, one in zip(examples, said, strict=True)]
    there = [one.correct for one, example in zip(judged, examples, strict=True) if example.place is not None]
    missing = [one.abstained for one, example in zip(judged, examples, strict=True) if example.place is None]
    citations = [one.cited_right for one in judged if one.cites]
    right = np.array([judge(example, one.text).correct for example, one in zip(examples, forced, strict=True)])
    beliefs = np.array([one.belief for one in forced])
    points = {
        f"{price:g}": float(np.mean((beliefs > least_belief(price)) * (right * (1 + price) - price)))
        for price in prices
    }
    curve = errors_by_coverage(beliefs.tolist(), (1.0 - right).tolist())
    return Marks(
        mean(there), mean(citations or [False]), mean(missing), mean(one.correct for one in judged),
        {f"{coverage:g}": float(error) for coverage, error in zip(COVERAGES, curve, strict=True)},
        points, float(beliefs.mean()), float(right.mean()),
    )  # fmt: skip


def best_reader(kitchen: Kitchen, near: bool, synonyms: float) -> tuple[Read, Read]:
    """Return the best reader of tasks as `draw_tasks` makes them, and how it answers if it has to."""

    def answer(examples: Sequence[Example], forced: bool) -> list[Said]:
        said = []
        for example in examples:
            pool = kitchen.near(example.question.text) if near else None
            belief = believe(kitchen.pantry, example, synonyms, SHARES, pool)
            asked = example.question.reading.asked
            fitting = belief.answers or {example.shown[0].values[asked]: 0.0}  # nothing fits: any, without belief
            word, sure = max(fitting.items(), key=lambda pair: pair[1]) if forced else belief.best()
            matching = [
                (share, place)
                for place, (share, fact) in enumerate(zip(belief.passages, example.shown, strict=True), start=1)
                if fact.values[asked] == word
            ]
            said.append(Said(word, None, sure) if word == UNKNOWN else Said(word, max(matching)[1], sure))
        return said

    return (lambda examples: answer(examples, False)), (lambda examples: answer(examples, True))


def by_rule(synonyms: float) -> Read:
    """Return the reader that knows grammar and synonyms and weighs what is shown; it is silent where nothing fits."""

    def read(examples: Sequence[Example]) -> list[Said]:
        said = [weigh(one.question, texts_of(one), synonyms) for one in examples]
        return [one if one.belief > 0 else SILENT for one in said]

    return read


def by_copying(examples: Sequence[Example]) -> list[Said]:
    """Answer with the word that stands there most often, see `readers.copy`."""
    return [copy(one.question, texts_of(one)) for one in examples]


def by_best_sentence(examples: Sequence[Example]) -> list[Said]:
    """Answer out of the passage with most words of the question: whatever of it could be an answer."""
    said = []
    for example in examples:
        words = set(example.question.text.lower().replace("?", "").split())
        shared = [len(words & set(text.lower().replace(".", "").split())) for text in texts_of(example)]
        place = shared.index(max(shared)) + 1
        said.append(replace(copy(example.question, [texts_of(example)[place - 1]]), place=place))
    return said


def by_closed_book(kitchens: Sequence[Kitchen]) -> Read:
    """Return the reader that knows how often each answer is right in other pantries, and nothing else."""
    counts: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for kitchen in kitchens:
        for fact, prior in zip(kitchen.pantry.facts, kitchen.pantry.prior, strict=True):
            for part, value in enumerate(fact.values):
                counts[fact.kind, part][value] += prior
    most = {asked: words.most_common(1)[0] for asked, words in counts.items()}

    def read(examples: Sequence[Example]) -> list[Said]:
        return [Said(most[one.question.reading.kind, one.question.reading.asked][0], None, 0.0) for one in examples]

    return read


def texts_of(example: Example) -> list[str]:
    """Return the passages of a task, without their numbers."""
    return [line.partition("] ")[2] for line in example.prompt.splitlines()[: len(example.shown)]]


def always(read: Read) -> tuple[Read, Read]:
    """Return a reader twice: it answers the same way whether it has to or not."""
    return read, read


def sit(
    examples: Sequence[Example], readers: Mapping[str, tuple[Read, Read]], prices: Sequence[float]
) -> dict[str, Marks]:
    """Return the marks of each reader; each comes with the way it answers if it has to."""
    return {name: marks(examples, read(examples), forced(examples), prices) for name, (read, forced) in readers.items()}


def known_readers(
    test: Kitchen, near: bool, synonyms: float, others: Sequence[Kitchen]
) -> dict[str, tuple[Read, Read]]:
    """Return by name the best reader of a kitchen's tasks and those by rule; the last has seen other kitchens."""
    return {
        BEST: best_reader(test, near, synonyms),
        RULE: always(by_rule(synonyms)),
        "copies what is most frequent": always(by_copying),
        "best sentence": always(by_best_sentence),
        "closed book": always(by_closed_book(others)),
    }


def by_model(reader: TrainedReader) -> tuple[Read, Read]:
    """Return a trained reader, and how it answers if it has to."""
    return reader.read, lambda examples: reader.read(examples, may_abstain=False)


@dataclass(frozen=True)
class Table:
    """Means over models, with intervals: by reader and mark, by reader and share of tasks, by reader and price."""

    marks: dict[str, dict[str, MeanInterval]]
    curves: dict[str, dict[str, MeanInterval]]
    points: dict[str, dict[str, MeanInterval]]


def over_models(sat: Mapping[str, Sequence[Marks]]) -> Table:
    """Return the means of some models' marks; what has one mark alone has no interval."""

    def over(part: Callable[[Marks], dict[str, float]]) -> dict[str, dict[str, MeanInterval]]:
        rows = {reader: [part(one) for one in ones] for reader, ones in sat.items()}
        return {
            reader: {key: mean_interval([row[key] for row in many]) for key in many[0]} for reader, many in rows.items()
        }

    names = ("right", "cited", "silent", "correct", "belief", "answers_right")
    plain = over(lambda one: {name: getattr(one, name) for name in names})
    return Table(plain, over(lambda one: one.curve), over(lambda one: one.points))
