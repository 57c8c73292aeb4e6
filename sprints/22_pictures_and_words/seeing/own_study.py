"""A few hundred pictures with captions: some train, some choose, some are searched. Towers, and ridge regression."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from seeing.contrasting import Contrast, PairBatch, train_towers
from seeing.contrastive import ContrastiveLoss
from seeing.linear_retrieval import Ridge, WordSpace, pixels, unit
from seeing.own_pictures import OwnPairs
from seeing.retrieval import recalls
from seeing.two_towers import TextConfig, TwoTowers, text_tokens
from shared.nn.pretrained import load_tokenizer
from shared.nn.vision_config import VisionConfig

FEWEST = 25  # pictures: five that are searched
KS = (1, 5)
CONTEXT = 128  # tokens of the longest caption


class Study:
    """Pictures in three parts, 60 % to train, 20 % to choose and 20 % to search, the same ones for every method.

    Where a picture has several captions, all of them train, and its first one is searched for.

    Raises:
        ValueError: fewer than 25 pictures, or a caption of more than 128 tokens.
    """

    def __init__(self, pairs: OwnPairs, generator: torch.Generator) -> None:
        total = len(pairs.pictures)
        if total < FEWEST:
            raise ValueError(f"at least {FEWEST} pictures are needed to train, choose and search; got {total}")
        self.pairs, self.tokenizer = pairs, load_tokenizer()
        self.tokens = text_tokens(self.tokenizer, pairs.captions, CONTEXT)
        order, fifth = torch.randperm(total, generator=generator), total // 5
        self.rows = {"test": order[:fifth], "validation": order[fifth : 2 * fifth], "train": order[2 * fifth :]}
        self.captions_of: list[list[int]] = [[] for _ in range(total)]
        for caption, picture in enumerate(pairs.picture_of.tolist()):
            self.captions_of[picture].append(caption)

    def searched(self, part: str) -> tuple[Tensor, list[int]]:
        """Return the pictures of a part, and the number of the first caption of each."""
        rows = self.rows[part]
        return self.pairs.pictures[rows], [self.captions_of[row][0] for row in rows.tolist()]

    def batches(self, size: int, generator: torch.Generator) -> Iterator[PairBatch]:
        """Yield batches of different training pictures, each with one of its captions, without end."""
        rows = self.rows["train"]
        while True:
            chosen = rows[torch.randperm(len(rows), generator=generator)[:size]].tolist()
            places = torch.rand(len(chosen), generator=generator).tolist()
            captions = [
                self.captions_of[row][int(place * len(self.captions_of[row]))]
                for row, place in zip(chosen, places, strict=True)
            ]
            yield self.pairs.pictures[chosen], self.tokens[captions]

    def train(self, kind: str, rate: float, steps: int, batch: int, seed: int) -> Contrast:
        """Return small towers that have learnt the training pictures."""
        generator = torch.Generator().manual_seed(seed)
        vision = VisionConfig(picture=self.pairs.pictures.shape[-1], patch=8, layers=2, d_model=64)
        text = TextConfig(vocab_size=len(self.tokenizer), context=CONTEXT, layers=2, d_model=64)
        contrast = Contrast(TwoTowers(vision, text, 64, generator), ContrastiveLoss(kind))
        for _ in train_towers(contrast, self.batches(batch, generator), steps=steps, rate=rate):
            pass
        return contrast

    @torch.no_grad()
    def recalls(self, contrast: Contrast, part: str) -> dict[str, float]:
        """Return the recalls of towers on a part."""
        pictures, captions = self.searched(part)
        contrast.eval()
        return recalls(*contrast.towers(pictures, self.tokens[captions]), KS)

    def ridge(self, penalties: Sequence[float]) -> tuple[dict[str, float], float]:
        """Return the recalls of ridge regression on the test part, and the penalty that is best on validation."""
        rows = [(row, caption) for row in self.rows["train"].tolist() for caption in self.captions_of[row]]
        shown, said = self.pairs.pictures[[row for row, _ in rows]], [self.pairs.captions[text] for _, text in rows]
        space = WordSpace.of(said, longest=2, least=2)
        sums = Ridge(pixels(shown[:1]).shape[1], len(space.weights))
        sums.add(pixels(shown), space.vectors(said))

        weights = {penalty: sums.solve(penalty) for penalty in penalties}

        def recalls_of(penalty: float, part: str) -> dict[str, float]:
            pictures, captions = self.searched(part)
            vectors = space.vectors([self.pairs.captions[text] for text in captions])
            return recalls(*unit(weights[penalty], pictures, vectors), KS)

        best = max(penalties, key=lambda penalty: sum(recalls_of(penalty, "validation").values()))
        return recalls_of(best, "test"), best
