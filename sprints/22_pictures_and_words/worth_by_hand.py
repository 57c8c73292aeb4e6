"""What is a picture worth? One caption, and every factor of its probability: without the picture, and with it.

    uv run sprints/22_pictures_and_words/worth_by_hand.py
    uv run sprints/22_pictures_and_words/worth_by_hand.py --caption "a large black knife." --places 4

Theory: notes/03_a_laid_table.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from seeing.captions import log_probability, log_probability_without_picture, read_caption
from seeing.drawing import render
from seeing.scenes import SIDE, Item, Scene
from seeing.worth import PARTS, of_caption
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.run import run

Place = Annotated[int, Field(ge=0, le=SIDE**2 - 1)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    caption: str = "a red plate and a small blue bowl. the plate is left of the bowl."  # what is said of the table
    places: tuple[Place, ...] = (3, 2)  # of its items, in its order; row by row from 0 to 8

    def check(self) -> None:
        if read_caption(self.caption) is None:
            raise ValueError(f"a caption is such as 'a red plate.'; got {self.caption!r}")
        of_caption(self.caption, scene_of(self.caption, self.places))


@dataclass(frozen=True)
class Results:
    caption: str
    places: list[int]
    without: dict[str, float]
    given: dict[str, float]
    one_in_without: float
    one_in_given: float
    worth: float


def scene_of(caption: str, places: tuple[int, ...]) -> Scene:
    """Return the scene of a caption, its items at these places; what has no size in it is large."""
    facts = read_caption(caption)
    mentions = facts.mentions if facts else ()
    if len(mentions) != len(places):
        raise ValueError(f"each of {len(mentions)} items needs a place; got {len(places)}")
    return Scene(
        tuple(
            Item(said.kind, said.colour, said.size or "large", *divmod(place, SIDE))
            for said, place in zip(mentions, places, strict=True)
        )
    )


def main(config: Config) -> Results:
    scene = scene_of(config.caption, config.places)
    without, given = of_caption(config.caption), of_caption(config.caption, scene)
    print(config.caption)
    for name in PARTS:
        alone, seen = math.exp(without[name]), math.exp(given[name])
        print(f"{name:>14}: 1 in {alone:5.0f} without the picture, 1 in {seen:3.0f} with it")
    alone, of_scene = log_probability_without_picture(config.caption), log_probability(config.caption, scene)
    print(f"log P(caption) = {alone:.3f} nats, log P(caption | scene) = {of_scene:.3f}: worth {of_scene - alone:.3f}")
    return Results(
        caption=config.caption,
        places=list(config.places),
        without=without,
        given=given,
        one_in_without=math.exp(-alone),
        one_in_given=math.exp(-of_scene),
        worth=of_scene - alone,
    )


def plot(results: Results) -> Figure:
    """Draw the picture beside the nats of its caption, part by part, without the picture and with it."""
    figure, (left, axes) = new_figure(8.6, 4.0, columns=2)
    left.imshow(render(scene_of(results.caption, tuple(results.places))).permute(1, 2, 0).numpy())
    left.axis("off")
    left.set_title(results.caption.replace(". ", ".\n"), fontsize=9)
    words = "without the picture", "with it"
    rows = ((0.19, results.without, COLOURS[0], words[0], 8.6), (-0.19, results.given, COLOURS[1], words[1], 7.95))
    for shift, nats, colour, words, above in rows:
        for row, name in enumerate(PARTS):
            y, value = len(PARTS) - 1 - row + shift, nats[name]
            axes.barh(y, value, height=0.36, color=colour)
            # A part that is certain has no bar.
            chance = f"1 in {math.exp(value):.0f}, {value:.2f}" if value > 0 else "certain, 0"
            axes.text(value + 0.06, y, chance, va="center", fontsize=7.5)
        total = sum(nats.values())
        axes.text(0.06, above, f"{words}: {total:.2f} nats", color=colour, fontweight="bold")
    axes.set(yticks=range(len(PARTS)), yticklabels=PARTS[::-1], xlabel="nats")
    axes.set_xlim(0, max(4.9, 1.4 * max(results.without.values())))
    axes.set_ylim(-0.6, 9.2)
    axes.grid(visible=False)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
