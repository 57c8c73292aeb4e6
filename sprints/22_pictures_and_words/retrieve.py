"""Find the picture of a caption, and the caption of a picture, among a thousand that nobody has seen.

    uv run sprints/22_pictures_and_words/retrieve.py
    uv run sprints/22_pictures_and_words/retrieve.py --preset full

Two towers learn on new scenes with CLIP's loss and with SigLIP's; beside them stand ridge regression on the same pairs,
and the exact optimum. In a minute small towers pass ridge regression. With --preset full larger ones, each with its own
best rate and three seeds, come close to the optimum. Theory: notes/06_finding_and_naming.md
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure
from torch import Tensor

from seeing.retrieval import chances
from seeing.retrieval_optimum import best_recall, recall_at, scores
from seeing.retrieval_runs import Setup, Training, World, scores_without_relations
from seeing.table_towers import TABLE_TOWERS, save_towers
from shared.checks.intervals import error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, NonNegativeInt, PositiveFloat, PositiveInt, Seeds, check_heads
from shared.lab.run import run, run_folder
from shared.lab.runtime import keep_freed_memory

PENALTIES = (1.0, 100.0, 10_000.0)  # of ridge regression: as many settings as the towers have rates
WAYS = {"caption to scene": "text_to_picture", "scene to caption": "picture_to_text"}
COLOURS_OF = {"optimum": "#777777", "without relations": "#bbbbbb", "clip": "C0", "siglip": "C3"}
HEADS = 4  # of the attention in both towers
PRESETS = {
    # What is recorded, and shipped as data/models/table-towers.
    "full": {"steps": 500, "batch": 256, "search_steps": 150, "seeds": (0, 1, 2), "layers": 3, "d_model": 128},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    kinds: Annotated[tuple[Literal["clip", "siglip"], ...], Different] = ("clip", "siglip")  # of the loss
    steps: PositiveInt = 200  # optimizer steps of a training
    batch: AtLeastTwo = 128  # pairs of a batch
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (0.01, 0.02, 0.04)  # of Muon
    search_steps: NonNegativeInt = 0  # steps of the trial of each rate; 0: take the one in the middle
    seeds: Seeds = (0,)  # trainings of each loss
    patch: Literal[8, 16] = 16  # pixels across a patch; 16 is a place of the table
    layers: PositiveInt = 2  # of each tower
    d_model: PositiveInt = 64  # features of a token, and of the common space
    pairs: AtLeastTwo = 1000  # unseen scenes with captions that are searched
    evaluate_every: PositiveInt = 25  # steps between two points of the curve

    def check(self) -> None:
        check_heads(self.d_model, HEADS)
        if self.pairs < 10:
            raise ValueError(f"recall at 10 needs ten pairs or more; got --pairs {self.pairs}")
        if self.record == "default":
            raise ValueError("a record writes the towers that ship, which are those of --record full; got --record")


@dataclass(frozen=True)
class Method:
    rate: float
    search: dict[float, float]
    trainings: list[Training]


@dataclass(frozen=True)
class Results:
    """Recalls have names such as `text_to_picture@1`; `by_number` is recall@1 of captions by items of their scene.

    `without_relations` is the optimum of whoever reads all but how two things lie to each other.
    """

    optimum: dict[str, float]
    without_relations: dict[str, float]
    ridge: dict[str, float]
    penalty: float
    methods: dict[str, Method]
    by_number: dict[str, dict[int, float]]


def main(config: Config) -> Results:
    keep_freed_memory()
    setup = Setup(
        config.batch, config.patch, config.layers, config.d_model, config.pairs, config.evaluate_every, config.device
    )
    world = World(setup)
    scenes, texts, _ = world.splits["test"]
    counts = torch.tensor([len(scene.items) for scene in scenes])
    target = TABLE_TOWERS if config.record is not None else run_folder(config, __file__) / TABLE_TOWERS.name

    def by_number(table: Tensor) -> dict[int, float]:
        found = chances(table.float())
        return {n: found[counts == n].mean().item() for n in counts.unique().tolist()}

    best = {k: best_recall(texts, scenes, k) for k in (1, 10)}
    optimum = {f"{name}@{k}": best[k][way].found for k in best for way, name in WAYS.items()}
    blind = scores_without_relations(texts, scenes)
    without = {
        f"{name}@{k}": recall_at(table, k)
        for k in best
        for name, table in zip(WAYS.values(), (blind, blind.mT), strict=True)
    }
    print("without relations: " + ", ".join(f"{name} {share:.1%}" for name, share in without.items()))
    print("optimum: " + ", ".join(f"{name} {share:.1%}" for name, share in optimum.items()))
    methods = {}
    numbers = {"optimum": by_number(scores(texts, scenes)), "without relations": by_number(blind)}
    for kind in config.kinds:
        searched = world.search(kind, config.rates, config.search_steps) if config.search_steps else {}
        middle = sorted(config.rates)[len(config.rates) // 2]
        rate = max(searched, key=lambda rate: searched[rate]) if searched else middle
        trainings = []
        for seed in config.seeds:
            contrast, training = world.train(kind, rate, config.steps, seed)
            trainings.append(training)
            if seed == config.seeds[0]:
                shown, said = world.vectors(contrast, "test")
                numbers[kind] = by_number(said @ shown.mT)
                if kind == config.kinds[0]:
                    save_towers(contrast, target)
        methods[kind] = Method(rate, searched, trainings)
    ridge, penalty = world.ridge(config.steps, PENALTIES)
    print("ridge regression: " + ", ".join(f"{name} {share:.1%}" for name, share in ridge.items()))
    return Results(optimum, without, ridge, penalty, methods, numbers)


def plot(results: Results) -> Figure:
    """Draw recall@1 of captions over the minutes of training, and at the end by the number of items."""
    figure, (left, right) = new_figure(9.6, 3.9, columns=2)
    name = "text_to_picture@1"
    for kind, method in results.methods.items():
        colour = COLOURS_OF[kind]
        for training in method.trainings:
            minutes = [point.seconds / 60 for point in training.curve]
            left.plot(minutes, [point.caption_to_scene for point in training.curve], color=colour, linewidth=1.2)
        mean, half = mean_interval([training.recalls[name] for training in method.trainings])
        left.errorbar(max(minutes) * 1.04, mean, error_bars([half])[0], color=colour, marker="o", capsize=3)
    for height, words in ((results.optimum[name], "optimum"), (results.ridge[name], "ridge regression")):
        left.axhline(height, color="black", linestyle="--", linewidth=1)
        left.annotate(words, (0, height), xytext=(3, 4), textcoords="offset points")
    left.set(xlabel="minutes of training", ylabel="recall@1, caption to picture", xlim=(0, None), ylim=(0, 1))
    left.set_title("lines: validation; dots: test, with 95 % intervals", fontsize=10)
    width = 0.8 / len(results.by_number)
    for place, (kind, shares) in enumerate(results.by_number.items()):
        right.bar(
            [n + (place - (len(results.by_number) - 1) / 2) * width for n in shares],
            list(shares.values()),
            width,
            color=COLOURS_OF[kind],
            label=kind,
        )
    right.set(xlabel="items of the scene", ylim=(0, 1.3))
    right.set_xticks(list(results.by_number["optimum"]))
    right.set_title("test pairs, first seed", fontsize=10)
    right.legend(ncols=2, loc="upper center")
    return figure


if __name__ == "__main__":
    run(
        main,
        Config,
        plot=plot,
        presets=PRESETS,
        tolerance={"methods.*": TRAINED, "ridge.*": TRAINED, "by_number.*": TRAINED},
    )
