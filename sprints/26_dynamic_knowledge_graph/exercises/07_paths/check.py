"""Checks of paths in SQL: the example of note 14, both times, names that look like SQL; the usual mistakes by name."""

import random
import sqlite3
from typing import Any

from shared.lab.checking import expect

Row = tuple[str, str, str, int, int | None, int, int | None]
NOTE: list[Row] = [
    ("Luna", "located_in", "Rome", 1, None, 1, 6), ("Sol", "located_in", "Pisa", 1, None, 2, None),
    ("Ava", "works_at", "Luna", 2, None, 3, 5), ("Ben", "works_at", "Luna", 3, None, 4, None),
    ("Ava", "works_at", "Luna", 2, 4, 5, None), ("Ava", "works_at", "Sol", 4, None, 5, None),
    ("Luna", "located_in", "Rome", 1, 5, 6, None), ("Luna", "located_in", "Oslo", 5, None, 6, None),
]  # fmt: skip
WORK, PLACE, WORKERS = ("works_at", True), ("located_in", True), ("works_at", False)
EVIL = "Sun') OR 1 = 1 --"


def walk(
    rows: list[Row], start: str, steps: list, day: int, known: int, *, day_in: int = 99, known_in: int = 99,
    last_day: int = 0, last_tick: int = 0, forward: bool = False, walks: bool = False,
) -> list[str]:  # fmt: skip
    """Return the ends of a path, sorted, or what comes by a mistake."""
    found = [start]
    for number, (relation, way) in enumerate(steps):
        after = []
        for subject, kind, object, since, until, begun, ended in rows:
            on_day = since <= day and (until is None or until + last_day > day)
            then = begun <= known and (ended is None or ended + last_tick > known)
            here, end = (subject, object) if way or forward else (object, subject)
            if kind == relation and (on_day or number >= day_in) and (then or number >= known_in):
                after += [end] * found.count(here)
        found = after if walks else sorted(set(after))
    return sorted(found)


def compare(learner: Any, rows: list[Row], start: str, steps: list, day: int, known: int) -> None:
    """Run the learner's statement on these rows, and compare what it selects."""

    def answer(facts: list, start: str, steps: list, day: int, known: int) -> list:
        with sqlite3.connect(":memory:") as connection:
            connection.execute("CREATE TABLE facts (subject, relation, object, since, until, known_from, known_until)")
            connection.executemany("INSERT INTO facts VALUES (?, ?, ?, ?, ?, ?, ?)", facts)
            sql, values = learner.compiled(start, steps, day, known)
            return sorted(name for (name,) in connection.execute(sql, values))

    ways: dict[str, dict[str, Any]] = {
        "The day is asked in the first step alone: it belongs into each.": {"day_in": 1},
        "What was known is asked in the first step alone: it belongs into each.": {"known_in": 1},
        "Both times are asked in the first step alone: they belong into each.": {"day_in": 1, "known_in": 1},
        "The day is never asked.": {"day_in": 0},
        "What was known is never asked.": {"known_in": 0},
        "Something holds on its day `until`: that is the first day on which it no longer does.": {"last_day": 1},
        "Something is known at `known_until`: that is the first tick at which it no longer is.": {"last_tick": 1},
        "A step back goes forwards.": {"forward": True},
        "An end stands once for each walk that leads to it: use DISTINCT.": {"walks": True},
    }
    given = (rows, start, steps, day, known)
    mistakes = {sentence: walk(*given, **way) for sentence, way in ways.items()}
    names = ("facts", "start", "steps", "day", "known")
    expect(answer, dict(zip(names, given, strict=True)), walk(*given), mistakes)


def check_the_example_of_note_14(learner: Any) -> None:
    """In which town does Ava work on day 6, as known after four, five and six arrivals? And on day 3?"""
    for day, known in ((6, 4), (6, 5), (6, 6), (3, 6), (3, 4)):
        compare(learner, NOTE, "Ava", [WORK, PLACE], day, known)


def check_a_step_back(learner: Any) -> None:
    """Who works where Ava works?"""
    compare(learner, NOTE, "Ava", [WORK, WORKERS], 3, 6)
    compare(learner, NOTE, "Luna", [WORKERS], 3, 6)


def check_the_edges_of_both_times(learner: Any) -> None:
    """On the day of the change, and at the tick of the change."""
    compare(learner, NOTE, "Ava", [WORK], 4, 6)
    compare(learner, NOTE, "Luna", [PLACE], 2, 6)
    compare(learner, NOTE, "Ava", [WORK], 3, 5)


def check_an_end_stands_once(learner: Any) -> None:
    """Two ways lead to the same town."""
    rows: list[Row] = [("Ava", "likes", shop, 1, None, 1, None) for shop in ("Luna", "Sol")]
    rows += [(shop, "located_in", "Rome", 1, None, 1, None) for shop in ("Luna", "Sol")]
    compare(learner, rows, "Ava", [("likes", True), PLACE], 2, 2)
    compare(learner, rows, "Ava", [("likes", True), PLACE, ("located_in", False)], 2, 2)


def check_a_name_that_looks_like_sql(learner: Any) -> None:
    """A shop and a relation whose names have quotes and comments in them, and a name that stands for everything."""
    rows: list[Row] = [("Ava", "likes", EVIL, 1, None, 1, None), (EVIL, "isn't in", "Rome", 1, None, 1, None)]
    compare(learner, rows, "Ava", [("likes", True), ("isn't in", True)], 2, 2)
    compare(learner, rows, EVIL, [("likes", False)], 2, 2)
    compare(learner, rows, "x' OR '1' = '1", [("likes", True)], 2, 2)


def check_random_graphs(learner: Any) -> None:
    """Forty paths through graphs that are drawn."""
    rng = random.Random(7)
    for _ in range(40):
        rows: list[Row] = []
        for _ in range(25):
            since, begun = rng.randrange(6), rng.randrange(6)
            until, ended = (rng.choice((None, one + rng.randint(1, 4))) for one in (since, begun))
            rows.append((rng.choice("abcd"), rng.choice("rs"), rng.choice("abcd"), since, until, begun, ended))
        steps = [(rng.choice("rs"), rng.random() < 0.6) for _ in range(rng.randint(1, 3))]
        compare(learner, rows, rng.choice("abcd"), steps, rng.randrange(8), rng.randrange(8))
