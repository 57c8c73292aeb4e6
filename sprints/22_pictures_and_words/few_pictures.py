"""With a few hundred pictures: two towers, or ridge regression from pixels to words? On laid tables, or on your own.

    uv run sprints/22_pictures_and_words/few_pictures.py
    uv run sprints/22_pictures_and_words/few_pictures.py --drawn 2400
    uv run sprints/22_pictures_and_words/few_pictures.py --pictures ~/breakfast

Both get the same pictures and choose among three settings on others. Of laid tables the optimum is known.
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
from seeing.own_pictures import OwnPairs, own_pairs, write_folder
from seeing.own_study import FEWEST, KS, Study
from seeing.retrieval_optimum import best_recall
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveInt
from shared.lab.run import run, run_folder

PENALTIES = (1.0, 10.0, 100.0)  # of ridge regression: as many as rates of the towers
SEARCH_SEED = 1000


@dataclass(frozen=True)
class Config(ScriptConfig):
    pictures: str = ""  # a folder with captions.csv, or hub:OWNER/NAME; without it laid tables are drawn
    most: AtLeastTwo | None = None  # pictures that are read (default: all, 1,000 of the hub)
    drawn: AtLeastTwo = 600  # laid tables, of which 60 % train
    kind: Literal["clip", "siglip"] = "clip"  # of the loss
    steps: PositiveInt = 300  # optimizer steps of a training
    batch: AtLeastTwo = 64  # pairs of a batch
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (0.01, 0.02, 0.04)  # learning rates, all tried
    seeds: PositiveInt = 3  # trainings with the best rate

    def check(self) -> None:
        if not self.pictures and self.drawn < FEWEST:
            raise ValueError(f"at least {FEWEST} tables are needed to train, choose and search; got {self.drawn}")


@dataclass(frozen=True)
class Results:
    """Recalls have names such as `text_to_picture@1`."""

    pictures: int
    captions: int
    searched: int
    chance: dict[str, float]
    ridge: dict[str, float]
    penalty: float
    search: dict[float, float]  # mean recall at 1 on validation pictures, by rate
    rate: float
    towers: dict[str, MeanInterval]
    optimum: dict[str, float] | None  # of laid tables


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    source = config.pictures or str(example(run_folder(config, __file__) / "pictures", config.drawn))
    read = own_pairs(source, most=config.most)
    study = Study(read, torch.Generator().manual_seed(config.seed))
    print(f"{len(read.pictures)} pictures with {len(read.captions)} captions in {source}")
    ridge, penalty = study.ridge(PENALTIES)
    search, trained = {}, []
    with tqdm(total=len(config.rates) + config.seeds, desc="trainings") as bar:
        for rate in config.rates:
            contrast = study.train(config.kind, rate, config.steps, config.batch, SEARCH_SEED)
            found = study.recalls(contrast, "validation")
            search[rate] = (found["text_to_picture@1"] + found["picture_to_text@1"]) / 2
            bar.update()
        best = max(search, key=lambda rate: search[rate])
        for seed in range(config.seed, config.seed + config.seeds):
            trained.append(study.recalls(study.train(config.kind, best, config.steps, config.batch, seed), "test"))
            bar.update()
    towers = {name: mean_interval([found[name] for found in trained]) for name in ridge}
    searched = len(study.rows["test"])
    chance = {name: int(name.partition("@")[2]) / searched for name in ridge}
    for name, (mean, _) in towers.items():
        print(f"{name}: towers {mean:.1%}, ridge regression {ridge[name]:.1%}, chance {chance[name]:.1%}")
    optimum = None if config.pictures else _optimum(study, read)
    return Results(
        len(read.pictures), len(read.captions), searched, chance, ridge, penalty, search, best, towers, optimum
    )


def example(folder: Path, count: int) -> Path:
    """Write laid tables as a folder of one's own would be."""
    return write_folder(folder, [(render(scene), text) for scene, text in pairs("train", 0, count)])


def _optimum(study: Study, read: OwnPairs) -> dict[str, float]:
    """Return the best recalls among the tables that are searched: picture i of the example is scene i."""
    rows = study.rows["test"].tolist()
    scenes = [scene for scene, _ in pairs("train", 0, len(study.captions_of))]
    found = {}
    for k in KS:
        best = best_recall([read.captions[row] for row in rows], [scenes[row] for row in rows], k)
        found[f"text_to_picture@{k}"] = best["caption to scene"].found
        found[f"picture_to_text@{k}"] = best["scene to caption"].found
    return found


def plot(results: Results) -> Figure:
    """Draw the recalls of both methods beside chance and, where it is known, the optimum."""
    figure, axes = new_figure(7.4, 3.4)
    names = list(results.towers)
    means = [results.towers[name][0] for name in names]
    rows = [("ridge regression", [results.ridge[name] for name in names], COLOURS[1]), ("towers", means, COLOURS[0])]
    for shift, (words, shares, colour) in zip((-0.19, 0.19), rows, strict=True):
        axes.bar([place + shift for place in range(len(names))], shares, width=0.36, color=colour, label=words)
    halves = error_bars([results.towers[name][1] for name in names])
    axes.errorbar([place + 0.19 for place in range(len(names))], means, halves, fmt="none", color="black", capsize=3)
    marks = [("chance", results.chance, ":")] + ([("optimum", results.optimum, "-")] if results.optimum else [])
    for words, levels, line in marks:
        for place, name in enumerate(names):
            label = words if place == 0 else None
            axes.plot([place - 0.42, place + 0.42], [levels[name]] * 2, line, color="black", label=label)
    ways = {"text_to_picture": "picture of a caption", "picture_to_text": "caption of a picture"}
    labels = [f"{ways[name.partition('@')[0]]}\nrecall at {name.partition('@')[2]}" for name in names]
    axes.set(xticks=range(len(names)), xticklabels=labels, ylabel=f"share of {results.searched}", ylim=(0, 1.05))
    figure.legend(loc="outside upper center", ncols=4, fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"search.*": TRAINED, "rate": TRAINED, "towers.*": TRAINED})
