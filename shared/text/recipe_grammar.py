"""The grammar of recipes: one method writes a recipe from its title to its tip.

The words stand in `cookbook.toml` and `voices.toml`; this module holds the structure that a model has to learn: the
title fits the ingredients, quantities fit the servings, the steps use every listed ingredient once and nothing else, in
an order that the kitchen allows, and the tip refers back. `shared/text/cookbook.py` draws and reads recipes with it.
"""

import tomllib
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.resources import files
from typing import Any

from shared.text.grammar import Choice, Pen, choice
from shared.text.phrases import Phrases, Slot

VOICES = ("plain", "flirty")
_MINUTES = {"slow": choice("25", "30", "35", "40", "45", "50"), "quick": choice("10", "12", "14", "16", "18", "20")}


@dataclass(frozen=True)
class Ingredient:
    """What a recipe lists: its name ("garlic cloves"), what the steps call it ("garlic"), its role and its speed."""

    name: str
    short: str
    role: str
    slow: bool


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
        first, second = (str(self[part]) for part in name.split("&"))
        return partial(_write_both, options=choice(first, second))


class RecipeGrammar:
    """The grammar of recipes in one voice.

    Args:
        voice: "plain" or "flirty"; they share dishes, ingredients and structure and differ in their words.
        dishes: the kinds of dish to cook; fewer make a smaller grammar (default: all).

    Raises:
        ValueError: an unknown voice or dish.
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
