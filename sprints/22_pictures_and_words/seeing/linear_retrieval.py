"""What retrieval gets without any network: ridge regression from pixels to words, and the cosine of the two."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

POOL = 2  # pixels across that are averaged: a quarter of the numbers, and the least thing on a table still has sixteen


def ngrams(text: str, longest: int) -> list[str]:
    """Return the words of a text and, up to `longest`, the words that stand together: "red plate", "left of the"."""
    words = re.findall(r"\w+", text)
    return [" ".join(words[i : i + n]) for n in range(1, longest + 1) for i in range(len(words) - n + 1)]


@dataclass(frozen=True)
class WordSpace:
    """N-grams of training captions, each with what it weighs: the logarithm of how rare it is."""

    weights: dict[str, float]
    longest: int

    @classmethod
    def of(cls, captions: Sequence[str], longest: int, least: int = 20) -> "WordSpace":
        """Return the n-grams that stand in `least` captions or more, weighted by log(captions / captions with it)."""
        counts = Counter(gram for text in captions for gram in set(ngrams(text, longest)))
        total = torch.tensor(float(len(captions)))
        kept = {gram: (total / count).log().item() for gram, count in sorted(counts.items()) if count >= least}
        return cls(kept, longest)

    def vectors(self, captions: Sequence[str]) -> Float[Tensor, "captions ngrams"]:
        """Return the weight of each n-gram where a caption has it, and 0 elsewhere."""
        places = {gram: place for place, gram in enumerate(self.weights)}
        table = torch.zeros(len(captions), len(places))
        for row, text in enumerate(captions):
            for gram in set(ngrams(text, self.longest)) & places.keys():
                table[row, places[gram]] = self.weights[gram]
        return table


def pixels(pictures: Float[Tensor, "pictures 3 height width"]) -> Float[Tensor, "pictures numbers"]:
    """Return the averaged pixels of each picture as a row, and a 1 that carries the mean."""
    rows = functional.avg_pool2d(pictures, POOL).flatten(1)
    return torch.cat([rows, torch.ones(len(rows), 1)], dim=1)


class Ridge:
    """Ridge regression of word vectors on pixels, from sums that any number of batches can be added to."""

    def __init__(self, numbers: int, outputs: int) -> None:
        self.gram = torch.zeros(numbers, numbers, dtype=torch.double)
        self.cross = torch.zeros(numbers, outputs, dtype=torch.double)

    def add(self, inputs: Float[Tensor, "pictures numbers"], outputs: Float[Tensor, "pictures ngrams"]) -> None:
        """Add the products of a batch to the sums."""
        self.gram += (inputs.mT @ inputs).double()
        self.cross += (inputs.mT @ outputs).double()

    def solve(self, penalty: float) -> Float[Tensor, "numbers ngrams"]:
        """Return the weights for a penalty on their squares."""
        damped = self.gram + penalty * torch.eye(len(self.gram), dtype=torch.double)
        return torch.linalg.solve(damped, self.cross).float()


def unit(
    weights: Float[Tensor, "numbers ngrams"],
    pictures: Float[Tensor, "pictures 3 height width"],
    said: Float[Tensor, "captions ngrams"],
) -> tuple[Float[Tensor, "pictures ngrams"], Float[Tensor, "captions ngrams"]]:
    """Return unit vectors of pictures (their predicted words) and of captions, both without the mean caption."""
    mean = said.mean(dim=0)
    predicted = pixels(pictures) @ weights
    return functional.normalize(predicted - mean, dim=-1), functional.normalize(said - mean, dim=-1)
