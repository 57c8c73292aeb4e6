"""How much of a batch is padding, and how much of it does packing save? Recipes, and documents of very uneven lengths.

    uv run sprints/23_loader_memory/waste.py
    uv run sprints/23_loader_memory/waste.py --context 1024

Padding to the context and to the longest of a batch, in order of arrival and sorted by length; next fit and first fit
decreasing; and what nobody can do better. Theory: notes/06_packing.md
"""

import time
from dataclasses import dataclass

from matplotlib.figure import Figure

from memory_study.packing import (
    first_fit_bound,
    first_fit_decreasing,
    first_fit_decreasing_slowly,
    lower_bound,
    next_fit,
    uneven_lengths,
    waste,
)
from shared.lab.compare import EXACT, ROUNDING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.nn.pretrained import load_tokenizer
from shared.text.books import recipe_part
from shared.text.cookbook import Cookbook

FIRST_FIT = "first fit decreasing"


@dataclass(frozen=True)
class Config(ScriptConfig):
    documents: AtLeastTwo = 3000  # recipes of the training stream, and as many uneven documents
    context: PositiveInt = 512  # tokens of a row
    batch_size: PositiveInt = 16  # rows of a batch that is padded
    contexts: tuple[PositiveInt, ...] = (257, 320, 384, 448, 512, 640, 768, 1024, 1536, 2048)  # of the curve

    def check(self) -> None:
        if min(self.context, *self.contexts) < 257:
            raise ValueError(f"recipes have up to 256 tokens; got --context {self.context}: give 257 or more")


@dataclass(frozen=True)
class Packing:
    """Of documents in one context: rows by the way of packing, and what is wasted, of padded batches too."""

    shortest: int
    longest: int
    mean: float
    rows: dict[str, int]
    wasted: dict[str, float]
    lower_bound: int
    first_fit_bound: int


@dataclass(frozen=True)
class Results:
    worlds: dict[str, Packing]
    at_257: Packing
    by_context: dict[str, dict[str, float]]
    seconds: dict[str, float]  # of first fit decreasing, with the tree and without


def padded_places(lengths: list[int], batch_size: int) -> int:
    """Return the places of batches whose rows are filled up to the longest of each batch."""
    batches = [lengths[start : start + batch_size] for start in range(0, len(lengths), batch_size)]
    return sum(max(batch) * len(batch) for batch in batches)


def packing_of(lengths: list[int], context: int, batch_size: int) -> Packing:
    """Return what each way makes of documents of these lengths."""
    tokens, least = sum(lengths), lower_bound(lengths, context)
    ways = {"next fit": next_fit, FIRST_FIT: first_fit_decreasing}
    rows = {name: len(pack(lengths, context)) for name, pack in ways.items()}
    wasted = {
        "padded to the context": waste(tokens, len(lengths), context),
        "padded to the longest of a batch": 1 - tokens / padded_places(lengths, batch_size),
        "the same, sorted by length": 1 - tokens / padded_places(sorted(lengths), batch_size),
        **{name: waste(tokens, count, context) for name, count in rows.items()},
        "nobody can do better than": waste(tokens, least, context),
    }
    mean = tokens / len(lengths)
    return Packing(min(lengths), max(lengths), mean, rows, wasted, least, first_fit_bound(least))


def main(config: Config) -> Results:
    recipes = recipe_part(Cookbook(), "train", config.documents, load_tokenizer()).documents
    recipe_lengths = [len(recipe) for recipe in recipes]
    uneven = uneven_lengths(config.documents, config.context, config.seed)
    worlds = {
        "recipes": packing_of(recipe_lengths, config.context, config.batch_size),
        "uneven": packing_of(uneven, config.context, config.batch_size),
    }
    for name, found in worlds.items():
        print(f"{name}: {found.shortest} to {found.longest} tokens, mean {found.mean:.0f}; rows of {config.context}")
        for way, share in found.wasted.items():
            print(f"  {way:<34}{share:>7.1%} empty" + (f", {found.rows[way]:,} rows" if way in found.rows else ""))
        print(f"  at least {found.lower_bound:,} rows; the bound of {FIRST_FIT}: {found.first_fit_bound:,}")
    by_context: dict[str, dict[str, float]] = {}
    for context in config.contexts:
        found = packing_of(recipe_lengths, context, config.batch_size).wasted
        by_context[str(context)] = {way: found[way] for way in ("next fit", FIRST_FIT, "nobody can do better than")}
    seconds: dict[str, float] = {}
    for name, pack in (("tree", first_fit_decreasing), ("every row", first_fit_decreasing_slowly)):
        start = time.perf_counter()
        pack(recipe_lengths, config.context)
        seconds[name] = time.perf_counter() - start
    print(f"{FIRST_FIT}: {seconds['tree']:.3f} s with the tree, {seconds['every row']:.3f} s asking every row")
    return Results(worlds, packing_of(recipe_lengths, 257, config.batch_size), by_context, seconds)


def plot(results: Results) -> Figure:
    """Draw what packed rows of recipes waste by the context."""
    figure, axes = new_figure(7.5, 4.0)
    contexts = [int(context) for context in results.by_context]
    places = range(len(contexts))
    styles = {"next fit": "C1o-", FIRST_FIT: "C0o-", "nobody can do better than": "k.--"}
    for name, style in styles.items():
        shares = [100 * found[name] for found in results.by_context.values()]
        axes.plot(places, shares, style, label=name.replace(" than", ""), markersize=5)
    axes.set_xticks(list(places), [str(context) for context in contexts])
    axes.set(xlabel="tokens of a row", ylabel="places without a token, %", ylim=(-1, None))
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT, "*.wasted.*": ROUNDING, "*.mean": ROUNDING})
