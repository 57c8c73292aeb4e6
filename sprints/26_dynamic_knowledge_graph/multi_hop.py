"""Questions of one to three hops about a world whose sources err: what is right, and what is time in each step for?

    uv run sprints/26_dynamic_knowledge_graph/multi_hop.py
    uv run sprints/26_dynamic_knowledge_graph/multi_hop.py --size 400 --questions 50 --seeds 3

Each answer is a set of entities, and right if it is the whole set. It is compared with walks over the facts of the
store (is the SQL right?) and over those of the world (is the store right?). Theory: notes/14_asking_a_graph.md
"""

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from matplotlib.figure import Figure
from tqdm import tqdm

from knowledge.kinds import Fact
from knowledge.news import SOURCES, News
from knowledge.news_graph import graph_of, readings, store_of, typed_paths, walk
from knowledge.queries import Path, Step, ask
from knowledge.sqlite_store import SqliteStore
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

HOPS = (1, 2, 3)
KINDS = {True: "sources err", False: "nobody errs"}


@dataclass(frozen=True)
class Config(ScriptConfig):
    size: PositiveInt = 1500  # things that happen in a world, five a day
    persons: PositiveInt = 80  # of a world
    shops: PositiveInt = 25  # of a world
    questions: PositiveInt = 200  # for each number of hops, in each world
    seeds: PositiveInt = 5  # worlds


@dataclass(frozen=True)
class Results:
    asked: int  # times that SQL was compared with a walk over the facts of the store, now and as of a time
    as_the_walk: int  # equal answers
    facts: dict[str, MeanInterval]  # of a day's facts, stored or true, those that are both; by kind of news
    right: dict[str, dict[str, MeanInterval]]  # answers that are those of the world, by kind of news and hops
    overwritten: dict[str, MeanInterval]  # the same of a graph that keeps the last word alone, where sources err
    day_once: dict[str, MeanInterval]  # right ones if the first step is asked about the day, the others about today
    as_known: dict[str, MeanInterval]  # if one step is as of the time and the others now: answers as all steps then


class Question(NamedTuple):
    start: str
    steps: tuple[Step, ...]
    day: int
    known: int  # arrivals


def drawn(facts: Iterable[Fact], hops: int, config: Config, ticks: list[int], rng: Random) -> list[Question]:
    """Return questions with an answer in this world, about days drawn from all but the first fifth."""
    facts, last, found = list(facts), config.size // 5, []
    while len(found) < config.questions:
        day = rng.randrange(last // 5, last)
        graph = graph_of(facts, day)
        entities = sorted({entity for entity, _, _ in graph})
        for _ in range(min(20, config.questions - len(found))):
            kind, steps = rng.choice(typed_paths(hops))
            start = rng.choice([one for one in entities if one.startswith(kind)])
            if walk(graph, start, steps):
                found.append(Question(start, steps, day, rng.choice(ticks)))
    return found


def in_two(store: SqliteStore, first: Path, rest: tuple[Step, ...], day: int) -> list[str]:
    """Wrong: ask the first step as it should be, and the others about this day as known now."""
    ends = ask(store, first)
    return sorted({end for one in ends for end in ask(store, Path(one, rest, day))}) if rest else ends


def overwritten(news: News) -> list[Fact]:
    """Wrong: for a subject and relation the last word counts, whatever its day and whoever takes it back."""
    last: dict[tuple[str, str, str], tuple[str, bool]] = {}
    for reading in readings(news.pieces, news.truth):
        for claim in reading.claims:
            subject, object = (news.truth.mentions[claim.record, end.start] for end in (claim.subject, claim.object))
            several = claim.relation in ("cooks", "married_to")
            last[subject, claim.relation, object if several else ""] = (object, claim.holds)
    return [Fact(one, relation, other, 0, None, ()) for (one, relation, _), (other, holds) in last.items() if holds]


def agreement(one: list[Fact], other: list[Fact], day: int) -> float:
    """Return how many facts of a day both have, of those that one of them has."""
    sets = [
        {(fact.subject, fact.relation, fact.object) for fact in facts
         if fact.since <= day and (fact.until is None or fact.until > day)} for facts in (one, other)
    ]  # fmt: skip
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def ask_world(config: Config, seed: int, errors: bool) -> dict[str, float]:
    """Return the figures of one world: by name and number of hops, each between 0 and 1."""
    sources = SOURCES if errors else dict.fromkeys(SOURCES, 1.0)
    news = News(seed, config.size, config.persons, config.shops, sources=sources)
    truth, rng, last = list(news.truth.facts), Random(f"questions {seed}"), config.size // 5 - 1
    found: dict[str, float] = {}
    with store_of(news, [piece for piece in news.pieces if errors or not piece.record.retracts]) as store:
        ticks = sorted(rng.sample(range(store.tick // 5, store.tick), 10))
        facts, at_tick, last_words = store.facts(), {tick: store.facts(known=tick) for tick in ticks}, overwritten(news)
        days = range(last // 5, last, 10)
        found["facts"] = sum(agreement(facts, truth, day) for day in days) / len(days)
        for hops in HOPS:
            right = dict.fromkeys(("sql", "sql as of", "right", "overwritten", "day once", "as known"), 0)
            for start, steps, day, known in drawn(truth, hops, config, ticks, rng):
                is_so = sorted(walk(graph_of(truth, day), start, steps))
                answer, then = ask(store, Path(start, steps, day)), ask(store, Path(start, steps, day, known))
                right["sql"] += answer == sorted(walk(graph_of(facts, day), start, steps))
                right["sql as of"] += then == sorted(walk(graph_of(at_tick[known], day), start, steps))
                right["right"] += answer == is_so
                right["overwritten"] += sorted(walk(graph_of(last_words, day), start, steps)) == is_so
                right["day once"] += in_two(store, Path(start, steps[:1], day), steps[1:], last) == is_so
                right["as known"] += in_two(store, Path(start, steps[:1], day, known), steps[1:], day) == then
            found |= {f"{name} {hops}": count / config.questions for name, count in right.items()}
    return found


def main(config: Config) -> Results:
    worlds = {kind: [] for kind in KINDS}
    for seed in tqdm(range(config.seeds), unit="world"):
        for kind in KINDS:
            worlds[kind].append(ask_world(config, seed, kind))

    def over_worlds(name: str, errors: bool = True) -> dict[str, MeanInterval]:
        return {str(hops): mean_interval([world[f"{name} {hops}"] for world in worlds[errors]]) for hops in HOPS}

    equal = sum(world[f"{name} {hops}"] for found in worlds.values() for world in found for hops in HOPS
                for name in ("sql", "sql as of"))  # fmt: skip
    results = Results(
        2 * 2 * len(HOPS) * config.seeds * config.questions,
        round(equal * config.questions),
        {KINDS[kind]: mean_interval([world["facts"] for world in found]) for kind, found in worlds.items()},
        {KINDS[kind]: over_worlds("right", kind) for kind in KINDS},
        over_worlds("overwritten"),
        over_worlds("day once"),
        over_worlds("as known"),
    )
    print(f"SQL answers as a walk over the facts: {results.as_the_walk} of {results.asked}")
    print(f"facts that are stored and true: {results.facts}")
    for name in ("right", "overwritten", "day_once", "as_known"):
        print(f"{name}: {vars(results)[name]}")
    return results


def plot(results: Results) -> Figure:
    """Draw the share of right answers by the number of hops."""
    figure, axes = new_figure(7.4, 3.8)
    errs = results.right[KINDS[True]]
    lines = {
        "nobody errs": results.right[KINDS[False]], "sources err": errs,
        "sources err; the day in the first step alone": results.day_once,
        "sources err; the last word overwrites": results.overwritten,
    }  # fmt: skip
    for place, (name, line) in enumerate(lines.items()):
        hops = [int(one) + 0.03 * (place - 1.5) for one in line]
        means, halves = zip(*line.values(), strict=True)
        axes.errorbar(hops, means, error_bars(halves), fmt="o-", capsize=3, label=name)
    axes.set_xticks(HOPS)
    axes.set(xlabel="hops", ylabel="right answers (whole set)", ylim=(0, 1.03))
    axes.legend(loc="center right", bbox_to_anchor=(1, 0.77), fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
