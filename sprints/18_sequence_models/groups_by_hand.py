"""What is a state that has to be tracked? Three cups that are moved, by hand, and what makes one group harder.

    uv run sprints/18_sequence_models/groups_by_hand.py
    uv run sprints/18_sequence_models/groups_by_hand.py --moves 231 231 231

Then: a recurrent network whose weights are set by hand computes products in each group with one layer, whatever the
length. Theory: notes/12_state_tracking.md
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure

from sequences.groups import Group, GroupName, commutes, derived_sizes, make_group, prefix_products
from sequences.rnn_of_table import products_by_rnn
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import Different, PositiveInt
from shared.lab.run import run

Move = Literal["123", "132", "213", "231", "312", "321"]
CUPS = {"1": "A", "2": "B", "3": "C"}


@dataclass(frozen=True)
class Config(ScriptConfig):
    moves: tuple[Move, ...] = ("213", "231", "132")  # which place each place gets its cup from, one move after another
    groups: Annotated[tuple[GroupName, ...], Different] = ("Z2", "S3")  # for which the network by hand is tried
    tokens: PositiveInt = 256  # moves of the rows that it reads
    rows: PositiveInt = 20  # rows that it reads

    def check(self) -> None:
        if len(self.moves) > 10:
            raise ValueError(f"give at most 10 --moves, more do not fit into the drawing; got {len(self.moves)}")


@dataclass(frozen=True)
class About:
    """A group: elements, whether the order never matters, and the sizes of what commutators make."""

    elements: int
    commutes: bool
    derived_sizes: list[int]


@dataclass(frozen=True)
class Results:
    moves: list[str]
    cups: list[str]
    products: list[str]
    other_order: str
    groups: dict[str, About]
    accuracy_by_hand: dict[str, float]


def move_cups(cups: str, move: str) -> str:
    """Return the cups after a move: each place gets the cup from the place that the move names."""
    return "".join(cups[int(place) - 1] for place in move)


def about(group: Group) -> About:
    """Return what there is to say of a group."""
    return About(len(group.elements), commutes(group), derived_sizes(group))


def main(config: Config) -> Results:
    three = make_group("S3")
    cups = ["ABC"]
    for move in config.moves:
        cups.append(move_cups(cups[-1], move))
    tokens = torch.tensor([[three.elements.index(move) for move in config.moves]])
    products = [three.elements[index] for index in prefix_products(three.table, tokens)[0].tolist()]
    backwards = three.elements[int(prefix_products(three.table, tokens.flip(1))[0, -1])]
    for move, state, product in zip(config.moves, cups[1:], products, strict=True):
        print(f"move {move}: cups {state}, which is the one move {product}")
    print(f"the same moves from the last to the first come to {backwards}")
    names: tuple[GroupName, ...] = ("Z2", "Z60", "S3", "A5")
    groups: dict[str, About] = {name: about(make_group(name)) for name in names}
    for name, group in groups.items():
        print(f"{name}: {group.elements} elements, commutators {group.derived_sizes}")
    generator, accuracy = torch.Generator().manual_seed(config.seed), {}
    for name in config.groups:
        table = make_group(name).table
        words = torch.randint(len(table), (config.rows, config.tokens), generator=generator)
        hits = products_by_rnn(table, words) == prefix_products(table, words)
        accuracy[name] = hits.double().mean().item()
        print(f"{name}, {config.tokens} tokens, RNN with {len(table) ** 2} units set by hand: {accuracy[name]:.1%}")
    return Results(list(config.moves), cups, products, backwards, groups, accuracy)


def plot(results: Results) -> Figure:
    """Draw the cups after each move, from left to right."""
    count = len(results.moves)
    figure, axes = drawings.canvas(1.8 + 1.7 * count, 2.5)
    colours = {"A": drawings.QUERY, "B": drawings.KEY, "C": drawings.VALUE}
    for index, cups in enumerate(results.cups):
        x = 0.9 + 1.7 * index
        for place, cup in enumerate(cups):
            drawings.cells(axes, [[cup]], x, 2.2 - 0.5 * place, colour=colours[cup], size=0.48)
            if index == 0:
                drawings.text(axes, f"place {place + 1}", x - 0.1, 1.96 - 0.5 * place, align="right")
            if index < count:
                came_from = results.moves[index].index(str(place + 1))
                drawings.arrow(axes, (x + 0.5, 1.96 - 0.5 * place), (x + 1.66, 1.96 - 0.5 * came_from))
        under = "start" if index == 0 else f"so far {results.products[index - 1]}"
        drawings.text(axes, under, x + 0.24, 0.5)
        if index < count:
            drawings.text(axes, f"move {results.moves[index]}", x + 1.08, 0.2, bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
