"""In which town does Ava work? Six arrivals, a question of two steps, and two times that each of its steps has to keep.

    uv run sprints/26_dynamic_knowledge_graph/asking_by_hand.py
    uv run sprints/26_dynamic_knowledge_graph/asking_by_hand.py --known 5

Theory: notes/14_asking_a_graph.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field

from knowledge.hearsay import said
from knowledge.kinds import Mention, Record
from knowledge.queries import Most, Path, Step, ask, how_many, show
from knowledge.sqlite_store import SqliteStore
from knowledge.store import ByName, Node
from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run

ARRIVALS = (
    said("r1", "Luna", "located_in", "Rome", 1),
    said("r2", "Sol", "located_in", "Pisa", 1),
    said("r3", "Ava", "works_at", "Luna", 2),
    said("r4", "Ben", "works_at", "Luna", 3),
    said("r5", "Ava", "works_at", "Sol", 4),
    said("r6", "Luna", "located_in", "Oslo", 5),
)
WORK, PLACE, WORKERS = ("works_at", True), ("located_in", True), ("works_at", False)
TOWN: tuple[Step, ...] = (WORK, PLACE)
TODAY = 6


@dataclass(frozen=True)
class Config(ScriptConfig):
    known: Annotated[int, Field(ge=3, le=6)] = 4  # how many arrivals were known
    day: Annotated[int, Field(ge=2, le=6)] = 3  # of the question about the past


@dataclass(frozen=True)
class Results:
    facts: list[list]  # subject, relation, object, since, until, known from, known until
    as_known: dict[str, list[str]]  # the town where Ava works today, as known after so many arrivals
    known_once: list[str]  # wrong: only the first step is asked as of then
    on_day: list[str]  # the town where she worked on the day, as known now
    day_once: list[str]  # wrong: only the first step is asked about the day
    with_ava: list[str]  # who works where Ava worked on the day
    number: int  # of them
    busiest: list[str]  # the shop with the most workers, of those where Ava or Ben ever worked
    sql: str
    known: int
    day: int


class Letters(ByName):
    """The same letters are the same thing, of whatever kind."""

    def node(self, record: Record, mention: Mention) -> Node:  # noqa: ARG002
        return Node(mention.text, "thing")


def in_two(store: SqliteStore, first: Path, day: int | None) -> list[str]:
    """Wrong: ask the first step as it should be, and the second one about what is known now, and about a day."""
    return sorted({town for shop in ask(store, first) for town in ask(store, Path(shop, (PLACE,), day))})


def main(config: Config) -> Results:
    with SqliteStore(None, Letters(), {"herald": 0.9}, ["works_at", "located_in"]) as store:
        store.add(ARRIVALS)
        facts = [list(row) for row in store._rows(
            "SELECT s.name, relation, o.name, since, until, known_from, known_until FROM facts f "
            "JOIN nodes s ON s.id = f.subject JOIN nodes o ON o.id = f.object ORDER BY f.id"
        )]  # fmt: skip
        as_known = {str(tick): ask(store, Path("Ava", TOWN, TODAY, tick)) for tick in range(1, len(ARRIVALS) + 1)}
        known_once = in_two(store, Path("Ava", (WORK,), TODAY, config.known), TODAY)
        on_day = ask(store, Path("Ava", TOWN, config.day))
        day_once = in_two(store, Path("Ava", (WORK,), config.day), TODAY)
        colleagues = Path("Ava", (WORK, WORKERS), config.day)
        with_ava, number = ask(store, colleagues), how_many(store, colleagues)
        busiest = ask(store, Most(Path("Ben", (WORK, WORKERS, WORK)), WORKERS))
        sql = show(Path("Ava", TOWN, TODAY, config.known))[0]
    for row in facts:
        print("{:<5}{:<11}{:<6}since {}, until {}; known from {}, until {}".format(*map(str, row)))
    print(f"{sql}\ntoday, as known after each arrival: {as_known}")
    print(f"as known after {config.known} in the first step alone: {known_once}, which it was at no time")
    print(f"on day {config.day}: {on_day}; with the day in the first step alone: {day_once}")
    print(f"works where Ava worked on day {config.day}: {with_ava}, {number} of them; the busiest shop: {busiest}")
    return Results(facts, as_known, known_once, on_day, day_once, with_ava, number, busiest, sql, config.known,
                   config.day)  # fmt: skip


def draw_layer(axes: Axes, results: Results, known: int, low: float, up: bool) -> dict[str, tuple[float, float]]:
    """Draw what was known of today after so many arrivals, Luna below or above; return the middles of boxes."""
    heights = {"Ben": 0.1, "Ava": 0.95, "Luna": 0.1, "Sol": 0.95, "Rome": -0.1, "Oslo": 0.5, "Pisa": 1.1}
    columns = {"Ben": 1.9, "Ava": 1.9, "Luna": 4.1, "Sol": 4.1}
    places = {name: (columns.get(name, 6.3), 1.0 - y if up else y) for name, y in heights.items()}
    colours = {"Ben": COLOURS[0], "Ava": COLOURS[0], "Luna": COLOURS[1], "Sol": COLOURS[1]}
    middles = {name: (x + 0.4, low + y + 0.2) for name, (x, y) in places.items()}
    for subject, _, object, since, until, begun, ended in results.facts:
        holds = since <= TODAY and (until is None or until > TODAY)
        if holds and begun <= known and (ended is None or ended > known):
            (left, one), (right, other) = middles[subject], middles[object]
            drawings.arrow(axes, (left + 0.42, one), (right - 0.42, other))
    for name, (x, y) in places.items():
        drawings.box(axes, name, x, low + y, 0.8, 0.4, colours.get(name, COLOURS[2]))
    drawings.text(axes, f"known after {known}", 0.05, low + 0.7, align="left", bold=True)
    return middles


def plot(results: Results) -> Figure:
    """Draw the graph as known then and now, and the walk that changes from one to the other."""
    figure, axes = drawings.canvas(8.2, 4.1)
    for place, words in enumerate(("works_at", "located_in")):
        drawings.text(axes, words, 3.4 + 2.2 * place, 3.95, size=8)
    then = draw_layer(axes, results, results.known, 2.25, up=False)
    now = draw_layer(axes, results, len(ARRIVALS), 0.2, up=True)
    style = {"arrowstyle": "-|>", "color": COLOURS[3], "linewidth": 2, "linestyle": "--", "shrinkA": 0, "shrinkB": 0}
    (x, high), (_, low) = then["Luna"], now["Luna"]
    axes.annotate("", (x, low + 0.22), (x, high - 0.22), arrowprops=style)
    axes.text(x + 0.15, (high + low) / 2, "wrong: the second step in what is known now", ha="left", va="center",
              fontsize=8, color=COLOURS[3])  # fmt: skip
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
