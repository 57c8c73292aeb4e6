"""More text out of a short book: name other things in a scene, the same everywhere in it.

Pre-training has learnt which words are used alike; their vectors lie close together. Swapping a word for a neighbour
(Wang & Yang 2015) needs no knowledge of the text. Theory: notes/02_fine_tuning.md
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from shared.nn.gpt import GPT

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

WORD = re.compile("[^\\W\\d_]+")


class Renamer:
    """Swaps words that a scene names at least twice, each everywhere in it, for words that are used alike.

    Args:
        vectors: of the tokens, as pre-training left them.
        tokenizer: gives the tokens of words; only words of one token are swapped.
        scenes: to count in how many of them a word stands.
        seen: True for the tokens that pre-training has shown; the vectors of others mean nothing.
        share: probability of swapping such a word.
        neighbours: how many of the closest words are candidates.
        cosine: how close a candidate must be at least.
        common: words in more than this share of the scenes are the voice's, and stay.
    """

    def __init__(
        self,
        model: GPT,
        tokenizer: "PreTrainedTokenizerBase",
        scenes: Sequence[str],
        unseen: Sequence[int],
        *,
        share: float = 0.5,
        neighbours: int = 5,
        cosine: float = 0.38,
        common: float = 0.3,
    ) -> None:
        self.share = share
        in_scenes = Counter(word for scene in scenes for word in {word.lower() for word in WORD.findall(scene)})
        unknown = set(unseen)
        tokens = {}
        for index in range(len(tokenizer)):
            text = str(tokenizer.decode([index]))
            word = text.removeprefix(" ")
            usual = text != word and WORD.fullmatch(word) and word.islower() and len(word) > 2
            if usual and index not in unknown and in_scenes[word] <= common * len(scenes):
                tokens[word] = index
        words = list(tokens)
        vectors = functional.normalize(model.token_embedding.weight.detach()[list(tokens.values())], dim=1)
        self.alike: dict[str, list[str]] = {}
        for word, vector in zip(words, vectors, strict=True):
            closeness = vectors @ vector
            closest = closeness.topk(min(neighbours + 1, len(words))).indices.tolist()[
                1:
            ]  # the first is the word itself
            self.alike[word] = [words[other] for other in closest if closeness[other] >= cosine]

    def rename(self, scene: str, generator: torch.Generator) -> str:
        """Return the scene with some of its words swapped."""
        counts = Counter(word.lower() for word in WORD.findall(scene))
        swaps: dict[str, str] = {}
        for word in [word for word, count in counts.items() if count > 1 and self.alike.get(word)]:
            free = [other for other in self.alike[word] if other not in counts and other not in swaps.values()]
            if free and torch.rand((), generator=generator) < self.share:
                swaps[word] = free[int(torch.randint(len(free), (), generator=generator))]

        def swapped(match: re.Match[str]) -> str:
            word = match[0]
            other = swaps.get(word.lower(), word)
            return other.capitalize() if word[0].isupper() else other

        return WORD.sub(swapped, scene)
