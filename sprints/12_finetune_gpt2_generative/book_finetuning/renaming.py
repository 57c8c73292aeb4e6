"""More text out of a short book: name other things in a scene, the same everywhere in it.

Pre-training has learnt which words are used alike; their vectors lie close together. Swapping a word for a neighbour
(Wang & Yang 2015) needs no knowledge of the text. Theory: notes/03_new_words_and_other_names.md
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from shared.nn.gpt import GPT
from shared.text.batches import TextDataset
from shared.text.tokenizers import encode_documents

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

WORD = re.compile(r"[^\W\d_]+")


class Renamer:
    """Swaps words that a scene names at least twice, each everywhere in it, for words that are used alike.

    Args:
        model: gives the vectors of the tokens, as pre-training left them.
        tokenizer: gives the tokens of words; only words of one token are swapped.
        scenes: to count in how many of them a word stands.
        unseen: tokens that pre-training has never shown; their vectors mean nothing.
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
        for token in range(len(tokenizer)):
            text = str(tokenizer.decode([token]))
            word = text.removeprefix(" ")
            usual = text != word and WORD.fullmatch(word) and word.islower() and len(word) > 2
            if usual and token not in unknown and in_scenes[word] <= common * len(scenes):
                tokens[word] = token
        words = list(tokens)
        vectors = functional.normalize(model.token_embedding.weight.detach()[list(tokens.values())], dim=1)
        self.alike: dict[str, list[str]] = {}
        for word, vector in zip(words, vectors, strict=True):
            closeness = vectors @ vector
            closest = closeness.topk(min(neighbours + 1, len(words))).indices.tolist()
            # The first is the word itself.
            self.alike[word] = [words[other] for other in closest[1:] if closeness[other] >= cosine]

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


def renamed_blocks(
    scenes: Sequence[str], renamer: Renamer, tokenizer: "PreTrainedTokenizerBase", context: int, seed: int
) -> Callable[[], list[list[int]]]:
    """Return a source of blocks that names other things in the scenes in every epoch."""
    generator = torch.Generator().manual_seed(seed)

    def next_epoch() -> list[list[int]]:
        renamed = [renamer.rename(scene, generator) for scene in scenes]
        return TextDataset(encode_documents(renamed, tokenizer), context).blocks

    return next_epoch
