"""An endless cookbook whose every recipe comes with its exact probability.

Recipes are written by a probabilistic grammar (`shared/text/grammar.py`), so the entropy of the text is known, and
with it the lowest loss that any language model can reach on it. The words stand in `cookbook.toml` and `voices.toml`;
this module holds the structure that a model has to learn: the title fits the ingredients, quantities fit the servings,
the steps use every listed ingredient once and nothing else, in an order that the kitchen allows, and the tip refers
back.
"""

import math
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.resources import files
from typing import Any

import torch

from shared.text.grammar import Choice, GrammarFault, Parser, Pen, Phrases, Sampler, Slot, choice

VOICES = ("plain", "flirty")
STREAMS = ("train", "validation", "test")
_MINUTES = {"slow": choice("25", "30", "35", "40", "45", "50"), "quick": choice("10", "12", "14", "16", "18", "20")}


@dataclass(frozen=True)
class Ingredient:
    """What a recipe lists: its name ("garlic cloves"), what the steps call it ("garlic"), its role and its speed."""

    name: str
    short: str
    role: str
    slow: bool


@dataclass(frozen=True)
class Recipe:
    """A recipe, its log-probability under the grammar in nats, and what it is about."""

    text: str
    log_prob: float
    voice: str
    dish: str
    style: str
    servings: int
    ingredients: tuple[Ingredient, ...]


@dataclass(frozen=True)
class Problem:
    """A question about quantities, a chain of thought that solves it, and the answer ("300 g")."""

    question: str
    thought: str
    answer: str

    def is_correct(self, answer: str) -> bool:
        """Return whether an answer gives the right number, with the right unit or without one."""
        return answer.split() in (self.answer.split(), self.answer.split()[:1])


@dataclass
class _Draft:
    """The facts of the recipe that is being written."""

    dish: str
    name: str
    style: str
    servings: int
    stars: dict[str, Ingredient]
    listed: list[Ingredient] = field(default_factory=list)


class _Slots(dict[str, Slot]):
    """What the blanks of a phrase stand for; `{x&y}` names two ingredients in either order."""

    def __missing__(self, name: str) -> Slot:
        one, two = (str(self[part]) for part in name.split("&"))
        return partial(_write_both, options=choice(one, two))


class Cookbook:
    """Recipes in one voice.

    Args:
        voice: "plain" or "flirty"; they share dishes, ingredients and structure and differ in their words.
        dishes: the kinds of dish to cook; fewer make a smaller grammar (default: all).

    Raises:
        ValueError: an unknown voice, dish or stream.
    """

    def __init__(self, voice: str = "plain", dishes: tuple[str, ...] | None = None) -> None:
        words = _load("cookbook.toml")
        if voice not in VOICES:
            raise ValueError(f"voice must be one of {', '.join(VOICES)}; got {voice!r}")
        if unknown := sorted(set(dishes or ()) - set(words["dishes"])):
            raise ValueError(f"dishes must be among {', '.join(words['dishes'])}; got {', '.join(unknown)}")
        self.voice = voice
        self.words = _load("voices.toml")[voice]
        self.steps = {name: Phrases(phrases) for name, phrases in self.words["steps"].items()}
        self.tips = Phrases(self.words["tips"])
        self.entries = words["pantry"]
        self.pantry = {role: _ingredients(role, entry) for role, entry in self.entries.items()}
        self.dishes = {name: dish for name, dish in words["dishes"].items() if name in (dishes or words["dishes"])}
        tastes = {dish["style"] for dish in self.dishes.values()}
        self.styles = [
            (style, taste) for taste in words["styles"] if taste in tastes for style in words["styles"][taste]
        ]
        self.style_choice = Choice([f"{style.title()} " for style, _ in self.styles])
        self.names = {
            taste: [(d, n) for d, dish in self.dishes.items() if dish["style"] == taste for n in dish["names"]]
            for taste in tastes
        }
        self.name_choices = {
            taste: Choice(
                [f"{name.title()} with " for _, name in names],
                [self.dishes[dish]["weight"] / len(self.dishes[dish]["names"]) for dish, _ in names],
            )
            for taste, names in self.names.items()
        }
        self.servings = Choice(list(words["servings"]), list(words["servings"].values()))

    def sample(self, generator: torch.Generator) -> Recipe:
        """Return a recipe drawn from the grammar."""
        pen = Sampler(generator)
        draft = self.write(pen)
        return Recipe(pen.text, pen.log_prob, self.voice, draft.dish, draft.style, draft.servings, tuple(draft.listed))

    def recipe(self, stream: str, index: int) -> Recipe:
        """Return recipe number `index` of an endless stream ("train", "validation" or "test"), always the same one.

        No two streams share a seed, so what is validated or tested on is not drawn for training.
        """
        if stream not in STREAMS:
            raise ValueError(f"stream must be one of {', '.join(STREAMS)}; got {stream!r}")
        # PyTorch's generator uses 32 bits of its seed; interleaving keeps the streams apart within them.
        seed = (index * len(VOICES) + VOICES.index(self.voice)) * len(STREAMS) + STREAMS.index(stream)
        return self.sample(torch.Generator().manual_seed(seed))

    def recipes(self, stream: str, start: int = 0) -> Iterator[Recipe]:
        """Yield the recipes of a stream from number `start` on, without end."""
        while True:
            yield self.recipe(stream, start)
            start += 1

    def log_prob(self, text: str) -> float:
        """Return the log-probability of a text in nats: minus infinity if the grammar cannot write it."""
        parser = Parser(text)
        return parser.log_prob if self._read(parser) is None else -math.inf

    def fault(self, text: str) -> GrammarFault | None:
        """Return the first fault of a text, with its place and the rule it breaks, or None for a valid recipe."""
        return self._read(Parser(text))

    def _read(self, parser: Parser) -> GrammarFault | None:
        try:
            self.write(parser)
            parser.finish()
        except GrammarFault as fault:
            return fault
        return None

    def write(self, pen: Pen) -> _Draft:
        """Write one recipe with the pen, from the title to the tip: this method is the whole grammar."""
        draft = self._write_title(pen)
        slots = self._write_ingredients(pen, draft)
        pen.write(f"\n{self.words['method']}")
        for number, step in enumerate(self.dishes[draft.dish]["steps"], start=1):
            pen.write(f"\n{number}. ")
            self.steps[step].write(pen, slots)
        pen.write(f"\n\n{self.words['tip']}")
        self.tips.write(pen, slots)
        return draft

    def _write_title(self, pen: Pen) -> _Draft:
        style, taste = self.styles[pen.choose(self.style_choice, "style")]
        dish, name = self.names[taste][pen.choose(self.name_choices[taste], "dish that suits the style")]
        first_role, second_role = self.dishes[dish]["stars"]
        first = self._choose_ingredient(pen, first_role, title=True)
        pen.write(" and ")
        second = self._choose_ingredient(pen, second_role, without=(first,), title=True)
        before, after = self.words["servings"].split("{servings}")
        pen.write(f"\n{before}")
        servings = int(self.servings.texts[pen.choose(self.servings, "servings")])
        pen.write(f"{after}\n\n{self.words['ingredients']}\n")
        return _Draft(dish, name, style, servings, {"first": first, "second": second})

    def _write_ingredients(self, pen: Pen, draft: _Draft) -> _Slots:
        """List the ingredients and return what the steps and the tip may refer to."""
        slots = _Slots(dish=draft.name, servings=str(draft.servings), double=str(2 * draft.servings))
        for slot in self.dishes[draft.dish]["roles"]:
            star = draft.stars.get(slot) or self._named_in_title(slot, draft.name)
            role = star.role if star else f"spice_{draft.style}" if slot == "spice" else slot
            entry = self.entries[role]
            pen.choose(_amounts(tuple(entry["amounts"]), draft.servings), "amount that fits the servings")
            if "cuts" in entry:
                pen.choose(choice(*(f"{cut} " for cut in entry["cuts"])), "cut")
            if star:
                pen.write(star.name, "ingredient that the title promises")
            ingredient = star or self._choose_ingredient(pen, role)
            pen.write("\n")
            draft.listed.append(ingredient)
            slots[slot] = ingredient.short
        slots["minutes"] = _MINUTES["slow" if any(ingredient.slow for ingredient in draft.listed) else "quick"]
        slots["earlier"] = partial(_write_earlier, draft.stars["first"], draft.stars["second"], slots)
        slots["star"] = partial(self._write_star, draft, slots)
        return slots

    def _named_in_title(self, role: str, name: str) -> Ingredient | None:
        """Return the ingredient that gives the dish its name, as penne does."""
        return next((ingredient for ingredient in self.pantry.get(role, ()) if ingredient.name == name), None)

    def _choose_ingredient(
        self, pen: Pen, role: str, *, without: tuple[Ingredient, ...] = (), title: bool = False
    ) -> Ingredient:
        options = [ingredient for ingredient in self.pantry[role] if ingredient not in without]
        names = (ingredient.name.title() if title else ingredient.name for ingredient in options)
        return options[pen.choose(choice(*names), role.replace("_", " "))]

    def _write_star(self, draft: _Draft, slots: _Slots, pen: Pen) -> None:
        """Name an ingredient of the title; from now on `{star}` is that one and `{swap}` another of its role."""
        stars = list(draft.stars.values())
        chosen = stars[pen.choose(choice(*(ingredient.short for ingredient in stars)), "star that the tip refers to")]
        others = [ingredient.short for ingredient in self.pantry[chosen.role] if ingredient not in stars]
        slots["star"], slots["swap"] = chosen.short, choice(*others)


def problem(generator: torch.Generator) -> Problem:
    """Return a recipe to scale: the amount for one number of servings is given, for another it is asked."""

    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high + 1, (), generator=generator))

    cookbook = Cookbook()
    roles = [role for role, entry in cookbook.entries.items() if entry["amounts"][0].endswith(" g")]
    pantry = [ingredient for role in roles for ingredient in cookbook.pantry[role]]
    ingredient = pantry[draw(0, len(pantry) - 1)]
    servings, others, each = draw(2, 9), draw(2, 9), 5 * draw(1, 30)
    others += others >= servings  # never the same number twice
    given, asked = servings * each, others * each
    return Problem(
        question=f"{given} g {ingredient.name} for {servings}, how much for {others}?",
        thought=f"{given} / {servings} = {each}. {each} * {others} = {asked}.",
        answer=f"{asked} g",
    )


def _write_both(pen: Pen, options: Choice) -> None:
    first = pen.choose(options, "listed ingredients")
    pen.write(f" and the {options.texts[1 - first]}", "listed ingredients")


def _write_earlier(first: Ingredient, second: Ingredient, slots: _Slots, pen: Pen) -> None:
    """Name the star that cooks longer, either if both take as long; `{later}` is then the other one."""
    fair = [first, second] if first.slow == second.slow else [first if first.slow else second]
    chosen = fair[pen.choose(choice(*(ingredient.short for ingredient in fair)), "star that cooks longer")]
    slots["later"] = (second if chosen is first else first).short


@cache
def _amounts(amounts: tuple[str, ...], servings: int) -> Choice:
    """Return the amounts, given for two servings, for so many servings."""
    split = (amount.partition(" ") for amount in amounts)
    return Choice([f"{int(number) * servings // 2}{space}{unit} " for number, space, unit in split])


@cache
def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((files("shared.text") / name).read_text(encoding="utf-8"))


def _ingredients(role: str, entry: dict[str, Any]) -> list[Ingredient]:
    short = entry.get("short", {})
    slow = entry.get("slow", [])
    return [Ingredient(name, short.get(name, name), role, name in slow) for name in [*slow, *entry["items"]]]
