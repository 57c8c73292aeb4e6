"""Trainings that end in a search among unseen pairs: one of them with its curve, and the search of its rate."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float64
from torch import Tensor

from seeing.captions import pairs, read_caption, write
from seeing.contrasting import Contrast, encode_scenes, scene_batches, train_towers
from seeing.contrastive import ContrastiveLoss
from seeing.drawing import pictures
from seeing.linear_retrieval import Ridge, WordSpace, pixels, unit
from seeing.retrieval import recalls
from seeing.retrieval_optimum import scores
from seeing.scenes import RELATIONS, Scene
from seeing.two_towers import TextConfig, TwoTowers, text_tokens
from shared.lab.runtime import pick_device
from shared.nn.pretrained import load_tokenizer
from shared.nn.vision_config import VisionConfig

FIRST_OF_SEED = 2_000_000  # trainings of different seeds see different scenes
SEARCH_SEED = 1000
WORDS_FROM = 4000  # captions whose n-grams ridge regression predicts


@dataclass(frozen=True)
class Setup:
    """What all trainings of a run have in common."""

    batch: int
    patch: int
    layers: int
    d_model: int
    pairs: int
    evaluate_every: int
    device: str = "auto"


@dataclass(frozen=True)
class Point:
    """Recall@1 on validation pairs after so many steps, and the seconds of training until then."""

    step: int
    seconds: float
    caption_to_scene: float
    scene_to_caption: float


@dataclass(frozen=True)
class Training:
    """One training: its curve, recalls on the test pairs by way and k, its last loss, and how sharp it became."""

    seconds: float
    curve: list[Point]
    recalls: dict[str, float]
    last_loss: float
    scale: float


def scores_without_relations(captions: Sequence[str], scenes: Sequence[Scene]) -> Float64[Tensor, "captions scenes"]:
    """Return the best score of whoever reads all of a caption but the one word that says how two things lie.

    As `retrieval_optimum.scores`, with the sum of P(caption | scene) over the four relations instead.
    """
    facts = [read_caption(text) for text in captions]
    tables = []
    for relation in RELATIONS:
        texts = [
            text if fact is None or fact.relation is None
            else write(replace(fact, relation=(fact.relation[0], relation, fact.relation[2])))
            for text, fact in zip(captions, facts, strict=True)
        ]  # fmt: skip
        tables.append(scores(texts, scenes))
    return torch.stack(tables).logsumexp(dim=0)


class World:
    """The pairs that are searched, and towers that search them."""

    def __init__(self, setup: Setup) -> None:
        self.setup, self.tokenizer = setup, load_tokenizer()
        self.splits: dict[str, tuple[list[Scene], list[str], Tensor]] = {}
        for stream in ("validation", "test"):
            drawn = pairs(stream, 0, setup.pairs)
            scenes, texts = [scene for scene, _ in drawn], [text for _, text in drawn]
            self.splits[stream] = scenes, texts, text_tokens(self.tokenizer, texts)

    def new(self, kind: str, seed: int) -> Contrast:
        """Return towers that have learnt nothing, with a loss of a kind."""
        setup, generator = self.setup, torch.Generator().manual_seed(seed)
        vision = VisionConfig(patch=setup.patch, layers=setup.layers, d_model=setup.d_model)
        text = TextConfig(vocab_size=len(self.tokenizer), layers=setup.layers, d_model=setup.d_model)
        towers = TwoTowers(vision, text, setup.d_model, generator)
        return Contrast(towers, ContrastiveLoss(kind)).to(pick_device(setup.device))

    def vectors(self, contrast: Contrast, stream: str) -> tuple[Tensor, Tensor]:
        """Return the vectors of a split's scenes and captions."""
        scenes, _, tokens = self.splits[stream]
        return encode_scenes(contrast.towers, scenes, tokens)

    def train(self, kind: str, rate: float, steps: int, seed: int) -> tuple[Contrast, Training]:
        """Train new towers on scenes that only this seed sees."""
        contrast, curve, spent, loss = self.new(kind, seed), [], 0.0, 0.0
        batches = scene_batches(self.tokenizer, self.setup.batch, FIRST_OF_SEED * (1 + seed))
        began = time.perf_counter()
        for step, loss in train_towers(contrast, batches, steps=steps, rate=rate):
            if step % self.setup.evaluate_every == 0 or step == steps:
                spent += time.perf_counter() - began
                found = recalls(*self.vectors(contrast, "validation"))
                curve.append(Point(step, spent, found["text_to_picture@1"], found["picture_to_text@1"]))
                print(
                    f"{kind}, rate {rate:g}, seed {seed}, step {step}: loss {loss:.3f}, recall@1 "
                    f"{curve[-1].caption_to_scene:.1%} of captions, {curve[-1].scene_to_caption:.1%} of scenes"
                )
                began = time.perf_counter()
        found = recalls(*self.vectors(contrast, "test"))
        return contrast, Training(spent, curve, found, loss, contrast.loss.scale.item())

    def search(self, kind: str, rates: Sequence[float], steps: int) -> dict[float, float]:
        """Return the mean recall@1 of both ways on validation pairs after a short training, by its rate."""
        found = {}
        for rate in rates:
            last = self.train(kind, rate, steps, SEARCH_SEED)[1].curve[-1]
            found[rate] = (last.caption_to_scene + last.scene_to_caption) / 2
        return found

    def ridge(self, steps: int, penalties: Sequence[float]) -> tuple[dict[str, float], float]:
        """Return the recalls of ridge regression, fitted to the pairs that seed 0 sees, and its best penalty."""
        batch = self.setup.batch
        space = WordSpace.of([text for _, text in pairs("train", FIRST_OF_SEED, WORDS_FROM)], longest=2)
        shown = {stream: pictures(scenes) for stream, (scenes, *_) in self.splits.items()}
        said = {stream: space.vectors(texts) for stream, (_, texts, _) in self.splits.items()}
        sums = Ridge(pixels(shown["test"][:1]).shape[1], len(space.weights))
        for step in range(steps):
            drawn = pairs("train", FIRST_OF_SEED + step * batch, batch)
            sums.add(pixels(pictures([scene for scene, _ in drawn])), space.vectors([text for _, text in drawn]))

        def recalls_of(penalty: float, stream: str) -> dict[str, float]:
            return recalls(*unit(sums.solve(penalty), shown[stream], said[stream]))

        best = max(penalties, key=lambda penalty: sum(recalls_of(penalty, "validation").values()))
        return recalls_of(best, "test"), best
