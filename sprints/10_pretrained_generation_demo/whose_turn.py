"""Who has to wait for whom? Two long texts and a short one that comes later, in a queue and by turns.

    uv run sprints/10_pretrained_generation_demo/whose_turn.py
    uv run sprints/10_pretrained_generation_demo/whose_turn.py --long 10

One token can be computed at a time. In a queue a text is written to its end before the next one begins. By turns the
next token goes to the user who has had the fewest. Theory: notes/09_many_users.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

Few = Annotated[int, Field(ge=1, le=10)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    long: Few = 6  # tokens of each of the two texts of the first user, A
    short: Few = 3  # tokens of the text of the second user, B
    comes: Annotated[int, Field(ge=0, le=10)] = 2  # how many tokens have been computed when B comes


@dataclass(frozen=True)
class Results:
    """Which text each token belongs to, in time; and when B has the first and the last one, counted from B's coming."""

    order: dict[str, list[str]]
    first: dict[str, int]
    last: dict[str, int]


def queue(config: Config) -> list[str]:
    """Return the order of a queue: text after text."""
    return ["A1"] * config.long + ["A2"] * config.long + ["B"] * config.short


def turns(config: Config) -> list[str]:
    """Return the order by turns: the next token is that of the user who had the fewest, and of the text that had."""
    left = {"A1": config.long, "A2": config.long, "B": config.short}
    order: list[str] = []
    while any(left.values()):
        waiting = [text for text in left if left[text] and (text != "B" or len(order) >= config.comes)]
        if not waiting:
            waiting = [text for text in left if left[text]]
        had = {user: sum(text[0] == user for text in order) for user in "AB"}
        chosen = min(waiting, key=lambda text: (had[text[0]], order.count(text)))
        order.append(chosen)
        left[chosen] -= 1
    return order


def main(config: Config) -> Results:
    order = {"a queue": queue(config), "turns": turns(config)}
    first = {name: row.index("B") + 1 - config.comes for name, row in order.items()}
    last = {name: len(row) - row[::-1].index("B") - config.comes for name, row in order.items()}
    for name, row in order.items():
        print(f"{name:<8} {' '.join(row)}   B: first after {first[name]}, last after {last[name]}")
    return Results(order, first, last)


def plot(results: Results) -> Figure:
    """Draw a cell for each token in time; A's texts are blue, B's is green."""
    length = len(results.order["turns"])
    figure, axes = drawings.canvas(1.2 + 0.5 * length, 2.4)
    for line, (name, row) in enumerate(results.order.items()):
        y = 2.0 - 1.0 * line
        drawings.text(axes, name, 0.85, y - 0.25, align="right")
        for place, text in enumerate(row):
            colour = drawings.VALUE if text == "B" else drawings.QUERY
            strength = 0.6 if text == "A2" else 0.3
            drawings.cells(axes, [[text]], 1.0 + 0.5 * place, y, colour=colour, strengths=[[strength]])
    drawings.arrow(axes, (1.0, 0.25), (1.0 + 0.5 * length, 0.25), "")
    drawings.text(axes, "tokens computed, in time", 1.0 + 0.25 * length, 0.1)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
