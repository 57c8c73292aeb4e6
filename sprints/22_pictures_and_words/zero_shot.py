"""Name things without having learnt to name: prompts are the classes.

    uv run sprints/22_pictures_and_words/zero_shot.py
    uv run sprints/22_pictures_and_words/zero_shot.py --towers runs/22_pictures_and_words/retrieve/table-towers

The towers of retrieve.py have only learnt which caption belongs to which scene. Here each class is a caption, or
the mean of several, and the nearest one is the answer. Theory: notes/06_finding_and_naming.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from seeing.captions import pairs
from seeing.contrasting import Contrast, encode_scenes
from seeing.scenes import COLOURS, KINDS, SIZES, Scene, true_relations
from seeing.table_towers import TABLE_TOWERS, load_towers
from seeing.two_towers import text_tokens
from shared.checks.intervals import share_interval
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo
from shared.lab.run import run
from shared.nn.pretrained import load_tokenizer

OPPOSITE = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}


@dataclass(frozen=True)
class Config(ScriptConfig):
    towers: Path = TABLE_TOWERS  # folder that retrieve.py wrote
    scenes: AtLeastTwo = 2000  # unseen ones, from which those with one item and with two are taken


@dataclass(frozen=True)
class Accuracy:
    """Share of right answers, its 95 % interval, and what a guess has."""

    share: float
    low: float
    high: float
    chance: float


@dataclass(frozen=True)
class Results:
    """By what was asked for, and how."""

    named: dict[str, Accuracy]


class Namer:
    """Towers that are asked by prompts."""

    def __init__(self, contrast: Contrast) -> None:
        self.towers, self.tokenizer = contrast.towers, load_tokenizer()

    def say(self, texts: Sequence[str]) -> Tensor:
        with torch.no_grad():
            return self.towers.encode_texts(text_tokens(self.tokenizer, texts))

    def see(self, scenes: Sequence[Scene]) -> Tensor:
        return encode_scenes(self.towers, scenes, text_tokens(self.tokenizer, ["a"] * len(scenes)))[0]

    def classes(self, prompts: Sequence[Sequence[str]]) -> Tensor:
        """Return a unit vector for each class: the mean of its prompts (Radford et al. 2021, section 3.1.4)."""
        means = [self.say(texts).mean(dim=0) for texts in prompts]
        return functional.normalize(torch.stack(means), dim=-1)


def accuracy(right: Tensor, classes: int) -> Accuracy:
    found = int(right.sum())
    return Accuracy(found / len(right), *share_interval(found, len(right)), 1 / classes)


def name_things(namer: Namer, scenes: list[Scene]) -> dict[str, Accuracy]:
    """Ask for kind, colour and size of the only thing, and for the relation of two."""
    single = [scene for scene in scenes if len(scene.items) == 1]
    shown, items = namer.see(single), [scene.items[0] for scene in single]
    full = {
        "kind": (KINDS, [[f"a {colour} {kind}." for colour in COLOURS] for kind in KINDS]),
        "colour": (COLOURS, [[f"a {colour} {kind}." for kind in KINDS] for colour in COLOURS]),
        "size": (SIZES, [[f"a {size} {c} {kind}." for c in COLOURS for kind in KINDS] for size in SIZES]),
    }
    bare = {
        "kind": (KINDS, [[f"a {kind}."] for kind in KINDS]),
        "colour": (COLOURS, [[f"a {colour}."] for colour in COLOURS]),
        "size": (SIZES, [[f"a {size}."] for size in SIZES]),
    }
    named = {}
    for form, prompts in (("whole captions", full), ("one word", bare)):
        for fact, (names, texts) in prompts.items():
            answers = (shown @ namer.classes(texts).mT).argmax(dim=1)
            truth = torch.tensor([names.index(getattr(item, fact)) for item in items])
            named[f"{fact}, {form}"] = accuracy(answers == truth, len(names))
    double, texts = [scene for scene in scenes if len(scene.items) == 2], []
    for scene in double:
        one, other = scene.items
        relation = true_relations(one, other)[0]
        said = f"a {one.colour} {one.kind} and a {other.colour} {other.kind}. the {one.kind} is "
        texts += [f"{said}{word} the {other.kind}." for word in (relation, OPPOSITE[relation])]
    similar = (namer.see(double)[:, None] * namer.say(texts).unflatten(0, (-1, 2))).sum(dim=-1)  # (scenes, 2)
    return named | {"relation or its opposite": accuracy(similar[:, 0] > similar[:, 1], 2)}


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    contrast = load_towers(config.towers)
    named = name_things(Namer(contrast), [scene for scene, _ in pairs("test", 0, config.scenes)])
    for name, found in named.items():
        print(f"{name}: {found.share:.1%} ({found.low:.1%} to {found.high:.1%}), chance {found.chance:.1%}")
    return Results(named)


if __name__ == "__main__":
    run(main, Config)
