"""Which of your pictures does a caption mean? Two towers and ridge regression on a folder of pictures with captions.

    uv run sprints/22_pictures_and_words/your_pictures.py --drawn 200 --steps 100 --seeds 1
    uv run sprints/22_pictures_and_words/your_pictures.py --pictures my_photos
    uv run sprints/22_pictures_and_words/your_pictures.py --pictures hub:OWNER/NAME --most 2000

What a folder has to hold says seeing/own_pictures.py. Without one, laid tables are drawn into a folder of the run, and
their optimum is known. 60 % of the pictures train, 20 % choose and 20 % are searched.

Theory: notes/06_finding_and_naming.md
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from seeing.captions import pairs
from seeing.drawing import render
from seeing.own_pictures import own_pairs, write_folder
from seeing.own_study import FEWEST, KS, Study
from seeing.retrieval_optimum import best_recall
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveInt
from shared.lab.run import run, run_folder
from shared.lab.runtime import keep_freed_memory

PENALTIES = (1.0, 10.0, 100.0)  # of ridge regression
WAYS = ("text_to_picture", "picture_to_text")
NAMES = {"text_to_picture": "picture of a caption", "picture_to_text": "caption of a picture"}
SEARCH_SEED = 1000


@dataclass(frozen=True)
class Config(ScriptConfig):
    pictures: str = ""  # a folder, or hub:OWNER/NAME (default: laid tables that are drawn)
    most: PositiveInt | None = None  # pictures to read (default: all of a folder, 1,000 of a data set)
    drawn: PositiveInt = 600  # laid tables, where no folder is given
    kind: Literal["clip", "siglip"] = "clip"  # the towers' loss
    steps: PositiveInt = 400  # optimizer steps
    batch: AtLeastTwo = 64  # pairs in a step
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (0.01, 0.02, 0.04)  # learning rates that are tried
    seeds: PositiveInt = 3  # runs of the towers

    def check(self) -> None:
        if not self.pictures and self.drawn < FEWEST:
            raise ValueError(
                f"at least {FEWEST} tables are needed to train, choose and search; got --drawn {self.drawn}"
            )


@dataclass(frozen=True)
class Results:
    pictures: int
    captions: int
    searched: int
    chance: dict[str, float]
    ridge: dict[str, float]
    penalty: float
    search: dict[str, float]  # of each rate the mean of both recalls at 1 on the validation part
    rate: float
    towers: dict[str, MeanInterval]
    optimum: dict[str, float] | None  # known of laid tables alone


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    keep_freed_memory()
    told = [] if config.pictures else pairs("train", 0, config.drawn)
    source: str | Path = config.pictures
    if told:
        drawn = [(render(scene), caption) for scene, caption in told]
        source = write_folder(run_folder(config, __file__) / "pictures", drawn)
    own = own_pairs(source, most=config.most)
    study = Study(own, torch.Generator().manual_seed(config.seed))
    test = study.rows["test"].tolist()
    print(f"{len(own.pictures):,} pictures with {len(own.captions):,} captions; {len(test)} are searched")
    ridge, penalty = study.ridge(PENALTIES)

    def recalls(rate: float, seed: int, part: str) -> dict[str, float]:
        return study.recalls(study.train(config.kind, rate, config.steps, config.batch, seed), part)

    search = {}
    for rate in tqdm(config.rates, desc="learning rates", leave=False):
        found = recalls(rate, config.seed + SEARCH_SEED, "validation")
        search[rate] = sum(found[f"{way}@{KS[0]}"] for way in WAYS) / len(WAYS)
    rate = max(search, key=search.__getitem__)
    seeds = tqdm(range(config.seeds), desc="seeds", leave=False)
    runs = [recalls(rate, config.seed + index, "test") for index in seeds]
    towers = {name: mean_interval([found[name] for found in runs]) for name in runs[0]}
    optimum = None
    if told:
        scenes, captions = [told[row][0] for row in test], [told[row][1] for row in test]
        best = {k: best_recall(captions, scenes, k) for k in KS}
        ways = dict(zip(WAYS, ("caption to scene", "scene to caption"), strict=True))
        optimum = {f"{way}@{k}": best[k][theirs].found for k in KS for way, theirs in ways.items()}
    chance = {f"{way}@{k}": k / len(test) for way in WAYS for k in KS}
    for name, interval in towers.items():
        print(f"{name}: ridge {ridge[name]:.1%}, towers {show_interval(*interval, '.1%')}, chance {chance[name]:.1%}")
    shown = {f"{tried:g}": found for tried, found in search.items()}
    return Results(
        len(own.pictures), len(own.captions), len(test), chance, ridge, penalty, shown, rate, towers, optimum
    )


def plot(results: Results) -> Figure:
    """Draw the recalls of both, with chance and the optimum as lines."""
    figure, axes = new_figure(7.4, 3.4)
    places = range(len(results.chance))
    halves = error_bars([results.towers[name][1] for name in results.chance])
    heights = [results.towers[name][0] for name in results.chance]
    axes.bar([place - 0.19 for place in places], [results.ridge[name] for name in results.chance], 0.36,
             color=COLOURS[1], label="ridge regression")  # fmt: skip
    axes.bar(
        [place + 0.19 for place in places], heights, 0.36, yerr=halves, capsize=3, color=COLOURS[0], label="towers"
    )
    for name, lines, style in (("chance", results.chance, ":"), ("optimum", results.optimum, "-")):
        if lines is not None:
            values, starts = [lines[key] for key in results.chance], [place - 0.42 for place in places]
            axes.hlines(values, starts, [place + 0.42 for place in places], "black", style, label=name)
    labels = [f"{NAMES[name.partition('@')[0]]}\nrecall at {name.partition('@')[2]}" for name in results.chance]
    axes.set_xticks(places, labels)
    axes.set(ylabel=f"share of {results.searched}", ylim=(0, 1.05))
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4)
    return figure


TOLERANCE = {"search.*": TRAINED, "rate": TRAINED, "towers.*": TRAINED}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)
