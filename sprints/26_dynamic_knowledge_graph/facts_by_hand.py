"""Five sentences: what a dictionary of pairs keeps of them, and what facts with sources keep; one is taken back.

    uv run sprints/26_dynamic_knowledge_graph/facts_by_hand.py
    uv run sprints/26_dynamic_knowledge_graph/facts_by_hand.py --taken-back r1 r5

Theory: notes/01_facts_and_where_they_come_from.md
"""

from collections import Counter
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from knowledge.hearsay import taken_back
from knowledge.kinds import Claim, Mention, Record
from knowledge.sqlite_store import SqliteStore
from knowledge.store import Reading
from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run

# record, source, day, subject, relation, its words, object
SAID = (
    ("r1", "herald", 3, "Ava", "works_at", "works at", "Luna"),
    ("r2", "gossip", 3, "Ava", "cooks", "cooks", "ragout"),
    ("r3", "herald", 4, "Ben", "works_at", "works at", "Luna"),
    ("r4", "gossip", 5, "Ava", "owns", "owns", "Luna"),
    ("r5", "rumour", 6, "Ava", "works_at", "works at", "Luna"),
)
KINDS = {"Ava": "person", "Ben": "person", "Luna": "shop", "ragout": "dish"}


@dataclass(frozen=True)
class Config(ScriptConfig):
    taken_back: tuple[str, ...] = ("r1",)  # records that their source takes back

    def check(self) -> None:
        if unknown := set(self.taken_back) - {row[0] for row in SAID}:
            raise ValueError(f"--taken-back must be of r1 to r5; got {', '.join(sorted(unknown))}")


@dataclass(frozen=True)
class Results:
    spans: dict[str, list[int]]  # of each record: start and end of its subject, start and end of its object
    by_pair: dict[str, str]  # wrong: one relation for each pair, the last one
    facts: dict[str, list[str]]  # "subject relation object", and the records that say so
    later: dict[str, list[str]]  # the same after some were taken back


def reading(key: str, source: str, day: int, subject: str, relation: str, words: str, object: str) -> Reading:
    """Return a sentence with its only claim, each mention with its place in the text."""
    text = f"{subject} {words} {object}."
    start = text.index(object)
    who = Mention(0, len(subject), subject, KINDS[subject])
    what = Mention(start, start + len(object), object, KINDS[object])
    return Reading(Record(key, source, day, text), (Claim(key, who, relation, what, day),))


def facts_of(store: SqliteStore) -> dict[str, list[str]]:
    name = {f"{kind}:{word}": word for word, kind in KINDS.items()}
    return {f"{name[one.subject]} {one.relation} {name[one.object]}": list(one.records) for one in store.facts()}


def main(config: Config) -> Results:
    readings, by_pair = [reading(*row) for row in SAID], {}
    for _, _, _, subject, relation, _, object in SAID:
        by_pair[f"{subject} {object}"] = relation  # what stood there is gone
    spans = {}
    for one in readings:
        claim = one.claims[0]
        spans[one.record.key] = [claim.subject.start, claim.subject.end, claim.object.start, claim.object.end]
        print(f"{one.record.key}  {one.record.text:<20}{claim.relation:<10}{spans[one.record.key]}")
    with SqliteStore() as store:
        store.add(readings)
        facts = facts_of(store)
        store.add([taken_back(f"not {key}", key) for key in config.taken_back])
        later = facts_of(store)
    print(f"a dictionary of pairs keeps {len(by_pair)} of {len(SAID)}: {by_pair}")
    print(f"{len(facts)} facts: {facts}")
    print(f"without {', '.join(config.taken_back)}: {later}")
    return Results(spans, by_pair, facts, later)


def draw_graph(axes: Axes, x: float, title: str, edges: dict[str, str]) -> None:
    """Draw entities, and an arrow for each relation with its words."""
    places = {"Ava": (x, 1.9), "Ben": (x, 0.25), "Luna": (x + 2.6, 1.05), "ragout": (x + 2.6, 2.75)}
    drawings.text(axes, title, x - 0.1, 3.45, align="left", bold=True)
    leaving: Counter[str] = Counter()
    coming: Counter[str] = Counter()
    for edge, words in sorted(edges.items(), key=lambda edge: (edge[0][:3], -places[edge[0].split()[-1]][1], edge)):
        subject, object = edge.split()[0], edge.split()[-1]
        (left, low), (right, high) = places[subject], places[object]
        start = (left + 0.78, low + 0.48 - 0.23 * leaving[subject])
        end = (right - 0.03, high + 0.44 - 0.19 * coming[object])
        leaving[subject] += 1
        coming[object] += 1
        drawings.arrow(axes, start, end)
        behind = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        middle = ((start[0] + end[0]) / 2 - 0.1, (start[1] + end[1]) / 2)
        axes.text(*middle, words, ha="center", va="center", fontsize=8, bbox=behind)
    for name, (left, low) in places.items():
        drawings.box(axes, name, left, low, 0.75, 0.5, COLOURS[0] if KINDS[name] == "person" else COLOURS[1])


def plot(results: Results) -> Figure:
    """Draw what a dictionary keeps beside what there is."""
    figure, axes = drawings.canvas(8.2, 3.7)
    pairs = {pair.replace(" ", " ? "): relation for pair, relation in results.by_pair.items()}
    draw_graph(axes, 0.2, f"one relation for a pair: {len(results.by_pair)} left", pairs)
    kept = {fact: f"{fact.split()[1]}: {', '.join(keys)}" for fact, keys in results.facts.items()}
    draw_graph(axes, 4.5, f"a multigraph with sources: {len(results.facts)} facts", kept)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
