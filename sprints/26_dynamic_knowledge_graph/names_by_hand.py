"""Are two names one? Edits, shared letters, and what the two names are worth where it is known how names are written.

    uv run sprints/26_dynamic_knowledge_graph/names_by_hand.py
    uv run sprints/26_dynamic_knowledge_graph/names_by_hand.py --pairs eva/eve sue/susan

Theory: notes/02_are_two_names_one.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from knowledge.persons import first_names
from knowledge.strings import edit_table, jaro, jaro_winkler, levenshtein
from shared.lab.compare import ROUNDING
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.run import run

PAIRS = ("ava/eva", "eva/eve", "ana/anna", "jon/john", "jon/jonathan", "bob/robert", "j./jon", "susan/sue", "ruth/ruht")


@dataclass(frozen=True)
class Config(ScriptConfig):
    pairs: tuple[str, ...] = PAIRS  # two names each, with a stroke between them
    table: str = "jon/john"  # the pair whose table of edits is shown

    def check(self) -> None:
        for pair in (*self.pairs, self.table):
            if pair.count("/") != 1 or not all(pair.split("/")):
                raise ValueError(f"a pair is two names with a stroke between them, such as ava/eva; got {pair!r}")


@dataclass(frozen=True)
class Pair:
    """What is computed of two names; bits are those of the made-up world, where they can be two of one person."""

    names: list[str]
    edits: int
    jaro: float
    jaro_winkler: float
    bits: float


@dataclass(frozen=True)
class Results:
    pairs: list[Pair]
    table: list[list[int]]
    table_names: list[str]


def main(config: Config) -> Results:
    law = first_names()
    found = []
    for pair in config.pairs:
        first, second = pair.split("/")
        bits = float((law.profile(first) @ law.profile(second)).log2())
        found.append(
            Pair([first, second], levenshtein(first, second), jaro(first, second), jaro_winkler(first, second), bits)
        )
        shown = f"{found[-1].edits} edits, Jaro {found[-1].jaro:.3f}, Jaro-Winkler {found[-1].jaro_winkler:.3f}"
        print(f"{first} and {second}: {shown}, {bits:+.1f} bits")
    first, second = config.table.split("/")
    table = edit_table(first, second)
    print("     " + "  ".join(second))
    for letter, row in zip(f" {first}", table, strict=True):
        print(letter, *(f"{value:2}" for value in row))
    return Results(found, table, [first, second])


def plot(results: Results) -> Figure:
    """Draw each pair at its similarity and its bits: a threshold is an upright line, the truth is the level one."""
    figure, axes = new_figure(7, 3.8)
    axes.axhline(0, color="#444444", linewidth=1)
    for pair in results.pairs:
        colour = COLOURS[2] if pair.bits > 0 else COLOURS[3]
        axes.plot(pair.jaro_winkler, pair.bits, "o", color=colour)
        one = pair.bits > 0  # names of two persons lie close together: theirs stand on the left
        axes.annotate(
            " / ".join(pair.names), (pair.jaro_winkler, pair.bits), xytext=(0, 7) if one else (-7, -3),
            textcoords="offset points", ha="center" if one else "right", fontsize=9,
        )  # fmt: skip
    low, high = axes.get_ylim()
    axes.set(ylim=(low, high + 0.8), xlim=(0.35, 1.02), xlabel="Jaro–Winkler similarity")
    axes.set_ylabel("evidence for one person, bits")
    axes.text(0.36, 0.12, "one person", color=COLOURS[2], va="bottom")
    axes.text(0.36, -0.12, "two persons", color=COLOURS[3], va="top")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": ROUNDING})
