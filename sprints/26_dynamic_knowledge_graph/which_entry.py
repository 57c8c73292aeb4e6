"""Which entry of a dictionary is meant, when the mention has lost its capitals, or all but its last word, or is hidden?

    uv run sprints/26_dynamic_knowledge_graph/which_entry.py
    SPRINTS_DATA=... uv run sprints/26_dynamic_knowledge_graph/which_entry.py --preset foldoc

By default in drawn dictionaries, whose law gives the best possible answer. Theory: notes/08_which_entry_is_meant.md
"""

from dataclasses import dataclass
from typing import Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from knowledge.foldoc_references import read_dictionary
from knowledge.homographs import draw_world
from knowledge.linker import SUM
from knowledge.linking_exam import LinkExam
from knowledge.linking_figures import OPTIMUM, TITLE_KEPT, Measured, examine, figures
from knowledge.sentence_vectors import minilm
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run

Kind = Literal["no capitals", "last word", "initials", "hidden"]
FOLDOC = {
    "data": "foldoc",
    "kinds": ("no capitals", "last word", "initials", "hidden"),
    "worlds": 1,
    "most": (3000, 2000, 4000),
}
MINILM = FOLDOC | {
    "minilm": True,
    "kinds": ("no capitals", "last word"),
    "most": (1000, 1000, 2000),
    "windows": (10, 40),
}
PRESETS = {
    "more": {"mentions": 24},
    "foldoc": FOLDOC,
    "foldoc_minilm": MINILM,
    "foldoc_no_minilm": MINILM | {"minilm": False},  # what MiniLM is compared with: as many questions, the same windows
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["drawn", "foldoc"] = "drawn"  # foldoc: the dictionary of computing, below SPRINTS_DATA
    kinds: tuple[Kind, ...] = ("no capitals", "hidden")  # what the mentions have lost
    worlds: PositiveInt = 5  # dictionaries that are drawn; of foldoc there is 1
    names: AtLeastTwo = 200  # of a drawn dictionary; each is the name of three entries
    topics: PositiveInt = 10  # of a drawn dictionary
    mentions: PositiveInt = 6  # in each text of a drawn dictionary
    most: tuple[PositiveInt, PositiveInt, PositiveInt] = (1000, 1000, 2000)  # questions: training, validation, test
    most_hidden: PositiveInt = 1000  # of each part for hidden mentions: all entries are their candidates
    windows: tuple[PositiveInt, ...] = (5, 10, 20, 40, 100)  # words on each side; validation chooses
    features: PositiveInt = 1024  # numbers in a vector of words
    minilm: bool = False  # vectors of MiniLM, too (group models)

    def check(self) -> None:
        if self.data == "foldoc" and self.worlds > 1:
            raise ValueError(f"there is one foldoc: --worlds must be 1; got {self.worlds}")
        if self.data == "drawn" and not set(self.kinds) <= {"no capitals", "hidden"}:
            raise ValueError(f"names of drawn dictionaries have one word: no last word, no initials; got {self.kinds}")


@dataclass(frozen=True)
class Results:
    kinds: dict[str, Measured]


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(config.seed)
    worlds, found, encode = [], {}, minilm() if config.minilm else None
    if config.data == "foldoc":
        dictionaries = [read_dictionary()]
    else:
        worlds = [draw_world(config.names, config.topics, config.mentions, generator) for _ in range(config.worlds)]
        dictionaries = [world.dictionary for world in worlds]
    for kind in tqdm(config.kinds, unit="kind"):
        few = config.most_hidden
        most = (few, few, few) if kind == "hidden" else config.most
        optima = [world.posterior for world in worlds] or [None]
        outcomes = []
        for number, (dictionary, optimum) in enumerate(zip(dictionaries, optima, strict=True)):
            exam = LinkExam(dictionary, kind, most, config.seed + number, config.features, encode=encode)
            outcomes.append(examine(exam, config.windows, optimum))
        found[kind] = figures(outcomes, generator)
        print(f"{kind}: {found[kind].candidates:.1f} candidates, chance {found[kind].chance:.3f}")
        for name, (mean, low, high) in found[kind].accuracy.items():
            print(f"    {name:<24} {mean:.3f} [{low:.3f}, {high:.3f}], in ten {found[kind].first_ten[name]:.3f}")
        if missing := found[kind].missing:
            print(f"    {missing}")
    return Results(found)


def plot(results: Results) -> Figure:
    """Draw the accuracy of each rule with its interval, a panel for each kind of mention."""
    rows = (len(results.kinds) + 1) // 2
    figure, axes = new_figure(7.5, 0.6 + 2.5 * rows, rows=rows, columns=2)
    for panel, (kind, measured) in zip(axes.flat, results.kinds.items(), strict=False):
        shown = {name: found for name, found in measured.accuracy.items() if name != TITLE_KEPT}
        for place, (name, (mean, low, high)) in enumerate(shown.items()):
            colour = COLOURS[2] if name == SUM else "#999999" if name == OPTIMUM else COLOURS[0]
            panel.barh(-place, mean, color=colour)
            panel.plot((low, high), (-place, -place), color="black", linewidth=1)
            panel.text(high + 0.02, -place, f"{mean:.2f}", va="center", fontsize=8)
        panel.axvline(measured.chance, color=COLOURS[3], linewidth=1, linestyle=":")
        panel.text(measured.chance, 0.6, " chance", color=COLOURS[3], fontsize=8)
        panel.set_yticks([-place for place in range(len(shown))], list(shown), fontsize=8)
        panel.set(xlim=(0, 1.15), ylim=(0.6 - len(shown), 1.1), title=kind, xlabel="accuracy")
    for panel in axes.flat[len(results.kinds) :]:
        panel.axis("off")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED})
