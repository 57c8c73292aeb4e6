"""How far apart do pictures and captions lie, though each caption belongs to a picture?

    uv run sprints/22_pictures_and_words/gap.py
    uv run sprints/22_pictures_and_words/gap.py --towers runs/22_pictures_and_words/retrieve/table-towers

The vectors of a thousand unseen pairs, of towers as they are drawn and as retrieve.py has trained them.
Theory: notes/06_finding_and_naming.md
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from seeing.captions import pairs
from seeing.contrasting import encode_scenes
from seeing.retrieval import recall
from seeing.table_towers import TABLE_TOWERS, load_towers
from seeing.two_towers import TwoTowers, text_tokens
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo
from shared.lab.run import run
from shared.nn.pretrained import load_tokenizer

SHIFTS = (0.0, 0.5, 1.0)  # of the captions towards the pictures, as a share of the gap


@dataclass(frozen=True)
class Config(ScriptConfig):
    towers: Path = TABLE_TOWERS  # folder that retrieve.py wrote
    pairs: AtLeastTwo = 1000  # unseen scenes with captions
    drawn: AtLeastTwo = 150  # of them in the figure


@dataclass(frozen=True)
class Gap:
    """How far the mean picture lies from the mean caption; what one direction tells; cosines; recall@1 when moved."""

    distance: float
    told_apart: float
    own_cosine: float
    other_cosine: float
    recall_when_moved: dict[float, float]


@dataclass(frozen=True)
class Results:
    """`plane` has points of pictures, then of their captions, of the towers as drawn and after training."""

    gaps: dict[str, Gap]
    plane: dict[str, list[list[list[float]]]]


def measure_gap(shown: Tensor, said: Tensor) -> Gap:
    gap = shown.mean(dim=0) - said.mean(dim=0)
    middle = (shown.mean(dim=0) + said.mean(dim=0)) / 2
    sides = torch.cat([(shown - middle) @ gap > 0, (said - middle) @ gap < 0])
    table = shown @ said.mT
    others = table[~torch.eye(len(table), dtype=torch.bool)]
    moved = {shift: recall(functional.normalize(said + shift * gap, dim=-1) @ shown.mT) for shift in SHIFTS}
    return Gap(
        gap.norm().item(), sides.float().mean().item(), table.diagonal().mean().item(), others.mean().item(), moved
    )


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    trained = load_towers(config.towers).towers
    sizes = trained.vision.config, trained.text.config, trained.picture_projection.out_features
    untrained = TwoTowers(*sizes, torch.Generator().manual_seed(config.seed)).eval()
    scenes, texts = zip(*pairs("test", 0, config.pairs), strict=True)
    tokens = text_tokens(load_tokenizer(), texts)
    gaps, plane = {}, {}
    for name, towers in (("before training", untrained), ("after training", trained)):
        shown, said = encode_scenes(towers, scenes, tokens)
        gaps[name] = gap = measure_gap(shown, said)
        both = torch.cat([shown[: config.drawn], said[: config.drawn]])
        axes = torch.linalg.svd(both - both.mean(dim=0), full_matrices=False).Vh[:2]  # of the largest spread
        plane[name] = (both @ axes.mT).unflatten(0, (2, -1)).tolist()
        print(
            f"{name}: gap {gap.distance:.2f}, told apart {gap.told_apart:.1%}, own pairs {gap.own_cosine:.2f}, others "
            f"{gap.other_cosine:.2f}, recall@1 when moved {gap.recall_when_moved}"
        )
    return Results(gaps, plane)


def plot(results: Results) -> Figure:
    """Draw pictures and captions in the plane of their largest spread, each caption tied to its picture."""
    figure, panels = new_figure(9.4, 4.2, columns=2)
    for axes, (name, (shown, said)) in zip(panels, results.plane.items(), strict=True):
        for one, other in zip(shown, said, strict=True):
            axes.plot([one[0], other[0]], [one[1], other[1]], color="#bbbbbb", linewidth=0.4, zorder=0)
        for points, colour, words in ((shown, "C0", "pictures"), (said, "C1", "captions")):
            axes.plot(*zip(*points, strict=True), "o", color=colour, markersize=3, label=words)
        gap = results.gaps[name]
        axes.set_title(f"{name}: {gap.distance:.2f} between the means", fontsize=10)
        axes.set(xlabel="first axis", ylabel="second axis", aspect="equal")
        axes.set_adjustable("datalim")
    panels[0].legend(loc="upper right")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
