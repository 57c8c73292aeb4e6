"""Books: a text in chapters, some to fine-tune on and others to be tested on.

A chapter begins with a line "Chapter ..." or "# ...", and within it a line "* * *" ends a scene. A scene is a document:
the models here read it from its beginning to its end, between two end tokens.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor
from torch.utils.data import Dataset

from shared.text.batches import Batch, pad_rows
from shared.text.cookbook import Cookbook

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

HEADING = re.compile(r"^(?:#\s+|chapter\b)(?P<title>[^\n]*)$", re.IGNORECASE | re.MULTILINE)
SCENE_BREAK = re.compile(r"^\s*\*\s*\*\s*\*\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Chapter:
    """A heading and the scenes below it."""

    heading: str
    scenes: tuple[str, ...]


class Split(NamedTuple):
    """Chapters to learn from, to choose by, and to be tested on once."""

    train: tuple[Chapter, ...]
    validation: tuple[Chapter, ...]
    test: tuple[Chapter, ...]


def read_book(path: Path) -> tuple[Chapter, ...]:
    """Return the chapters of a text file; what stands before the first heading is left out.

    Raises:
        ValueError: there is no such file, it is not UTF-8, or it has no chapter with text.
    """
    if not path.is_file():
        raise ValueError(f"there is no book {path}: name a text file")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 at byte {error.start}: convert it") from None
    headings = list(HEADING.finditer(text))
    ends = [*(heading.start() for heading in headings), len(text)][1:]
    chapters = []
    for heading, end in zip(headings, ends, strict=True):
        scenes = (scene.strip("\n") for scene in SCENE_BREAK.split(text[heading.end() : end]))
        kept = tuple(scene for scene in scenes if scene.strip())
        if kept:
            chapters.append(Chapter(heading.group().strip(), kept))
    if not chapters:
        raise ValueError(f"{path} has no chapters: begin each with a line 'Chapter ...' or '# ...'")
    return tuple(chapters)


def split_chapters(chapters: Sequence[Chapter], validation: int = 1, test: int = 1) -> Split:
    """Return the last chapters as test, those before them as validation, and the rest for training.

    Whole chapters: windows of one text that overlap, or paragraphs dealt out at random, would show the model in
    training what it is tested on.

    Raises:
        ValueError: no chapter would be left for one of the three.
    """
    train = len(chapters) - validation - test
    if min(train, validation, test) < 1:
        raise ValueError(
            f"a book is split into chapters to train on, {validation} to validate and {test} to test, each at least 1; "
            f"it has {len(chapters)}: mark more with lines 'Chapter ...', or hold back fewer"
        )
    return Split(tuple(chapters[:train]), tuple(chapters[train : train + validation]), tuple(chapters[-test:]))


def encode_scenes(chapters: Sequence[Chapter], tokenizer: "PreTrainedTokenizerBase") -> list[list[int]]:
    """Return the tokens of each scene between two end tokens."""
    end = int(tokenizer.eos_token_id)
    scenes = (scene for chapter in chapters for scene in chapter.scenes)
    return [[end, *tokenizer.encode(scene, add_special_tokens=False), end] for scene in scenes]


class TextDataset(Dataset[Tensor]):
    """Blocks of documents for a model that sees `context` tokens; none reaches over the end of its document.

    A block holds one token more than the context: its last token is only a target. Neighbours share this token, so that
    with the default stride every token but the first of a document is a target exactly once.

    Args:
        documents: token ids of each.
        context: tokens that the model sees at once.
        stride: tokens from one block to the next (default: `context`, disjoint blocks).

    Example: with context 3 a document [1, 2, 3, 4, 5, 6] gives the blocks [1, 2, 3, 4] and [4, 5, 6].

    Raises:
        ValueError: a stride outside 1 to context, or no document with two tokens.
    """

    def __init__(self, documents: Sequence[Sequence[int]], context: int, stride: int | None = None) -> None:
        stride = context if stride is None else stride
        if not 1 <= stride <= context:
            raise ValueError(f"stride must be 1 to context={context}, or targets would be skipped; got {stride}")
        self.blocks: list[list[int]] = []
        # How many targets at the end of a block were in no block before it.
        self.fresh: list[int] = []
        for document in documents:
            done = 0  # the last token that has been a target
            for start in range(0, len(document) - 1, stride):
                block = list(document[start : start + context + 1])
                self.blocks.append(block)
                self.fresh.append(start + len(block) - 1 - done)
                done = start + len(block) - 1
                if done == len(document) - 1:
                    break
        if not self.blocks:
            raise ValueError("there is nothing to predict: a document needs at least two tokens")

    def __len__(self) -> int:
        return len(self.blocks)

    def __getitem__(self, index: int) -> Int[Tensor, " tokens"]:
        """Return the tokens of a block, not shifted: at most context + 1 of them."""
        return torch.tensor(self.blocks[index])

    def batches(self, batch_size: int) -> Iterator[Batch]:
        """Yield all blocks in order, for evaluation: the mask is True where a token is a fresh target.

        Each target is scored once, with at least context - stride tokens before it where the document has them.
        """
        for start in range(0, len(self), batch_size):
            blocks, fresh = self.blocks[start : start + batch_size], self.fresh[start : start + batch_size]
            mask = torch.nn.utils.rnn.pad_sequence(
                [torch.arange(len(block)) >= len(block) - new for block, new in zip(blocks, fresh, strict=True)], True
            )
            yield Batch(pad_rows(blocks).tokens, mask)


def book_optimum(chapters: Sequence[Chapter], documents: Sequence[Sequence[int]], cookbook: Cookbook) -> float | None:
    """Return the loss of the grammar itself on a cookbook's chapters, in nats per token; None for any other book.

    Args:
        chapters: what is scored.
        documents: the same as tokens: every token but the first of a document is a target.
        cookbook: the grammar that may have written them.
    """
    log_prob = sum(cookbook.log_prob(scene) for chapter in chapters for scene in chapter.scenes)
    targets = sum(len(document) - 1 for document in documents)
    return None if log_prob == float("-inf") else -log_prob / targets
