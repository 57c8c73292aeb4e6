"""Where did Ava work on day 7, and since when do we know? Five arrivals, two kinds of time, a contradiction.

    uv run sprints/26_dynamic_knowledge_graph/two_times_by_hand.py
    uv run sprints/26_dynamic_knowledge_graph/two_times_by_hand.py --gossip 0.7 --days 12

Theory: notes/09_two_kinds_of_time.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from knowledge.hearsay import said, taken_back
from knowledge.periods import log_odds
from knowledge.sqlite_store import SqliteStore
from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import OpenFraction, PositiveInt
from shared.lab.run import run

ARRIVALS = (
    said("a1", "Ava", "works_at", "Luna", 3, "herald"),
    said("a2", "Ava", "works_at", "Sol", 9, "herald"),
    said("a3", "Ava", "works_at", "Mira", 6, "gossip"),  # late: it speaks of a day before
    said("a4", "Ava", "works_at", "Luna", 9, "gossip"),  # contradicts a2
    taken_back("a5", "a2"),
)


@dataclass(frozen=True)
class Config(ScriptConfig):
    herald: OpenFraction = 0.9  # how often the herald tells the truth
    gossip: OpenFraction = 0.6  # how often gossip does
    days: PositiveInt = 12  # days of the table


@dataclass(frozen=True)
class Results:
    weights: dict[str, float]  # of a source
    known: list[list[str]]  # after each number of arrivals, from 0 on: the shop of each day, from day 1 on
    gossips_to_outweigh: int  # the herald, if all of them say the same


def main(config: Config) -> Results:
    sources = {"herald": config.herald, "gossip": config.gossip}
    weights = {source: log_odds(reliability) for source, reliability in sources.items()}
    with SqliteStore(sources=sources, single=["works_at"]) as store:
        store.add(ARRIVALS)
        known = []
        for tick in range(len(ARRIVALS) + 1):
            on = [store.facts("person:Ava", "works_at", day=day, known=tick) for day in range(1, config.days + 1)]
            known.append([facts[0].object.removeprefix("shop:") if facts else "" for facts in on])
    for tick, row in enumerate(known):
        print(f"known after {tick}: " + " ".join(f"{shop or '-':<5}" for shop in row))
    enough = math.floor(weights["herald"] / weights["gossip"]) + 1 if weights["gossip"] > 0 else 0
    print(f"weights {weights}; {enough} gossips outweigh the herald")
    return Results(weights, known, enough)


def plot(results: Results) -> Figure:
    """Draw what was known: days to the right, arrivals upwards."""
    figure, axes = new_figure(7.6, 3.6)
    colours = {"Luna": COLOURS[0], "Mira": COLOURS[2], "Sol": COLOURS[1]}
    for tick, row in enumerate(results.known):
        for place, shop in enumerate(row):
            if shop:
                corner = (place + 0.5, tick - 0.5)
                axes.add_patch(Rectangle(corner, 1, 1, facecolor=drawings.tint(colours[shop], 0.45), edgecolor="white"))
                drawings.text(axes, shop, place + 1, tick, size=8)
    axes.set(xlim=(0.5, len(results.known[0]) + 0.5), ylim=(-0.5, len(results.known) - 0.5))
    axes.set(xlabel="day of which we speak (valid time)", ylabel="arrivals until then (transaction time)")
    axes.set_xticks(range(1, len(results.known[0]) + 1))
    axes.grid(visible=False)
    return figure


PRESETS = {"believed": {"gossip": 0.95}, "distrusted": {"gossip": 0.4}}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": EXACT})
