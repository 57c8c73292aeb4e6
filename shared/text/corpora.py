"""What a language model is trained on: an endless cookbook whose optimum is known, or any text.

Both kinds of corpus answer the same questions: batches to train on, batches to validate on, documents for an n-gram.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import torch

from shared.lab.provenance import note_read
from shared.text.batches import Batch, BlockBatches, DocumentBatches, pad_rows, whole_text
from shared.text.cookbook import VOICES, Cookbook
from shared.text.tokenizers import Tokenizer, character_tokenizer, encode_documents, gpt2_tokenizer, train_bpe


@cache
def cookbook_tokenizer(vocab_size: int = 2048, recipes: int = 2000) -> Tokenizer:
    """Return a byte-level BPE trained on so many recipes of each voice."""
    cookbooks = [Cookbook(voice) for voice in VOICES]
    return train_bpe(
        (cookbook.recipe("train", index).text for index in range(recipes) for cookbook in cookbooks), vocab_size
    )


class CookbookCorpus:
    """The recipes of one voice; each is a document between two end tokens.

    Args:
        tokenizer: turns recipes into tokens.
        voice: whose recipes.
        validation_recipes: how many recipes of the validation stream to validate on.
    """

    def __init__(self, tokenizer: Tokenizer, voice: str = "plain", validation_recipes: int = 256) -> None:
        self.tokenizer = tokenizer
        self.cookbook = Cookbook(voice)
        self.validation_recipes = validation_recipes

    def documents(self, stream: str, start: int, count: int) -> list[list[int]]:
        """Return the tokens of `count` recipes of a stream from number `start` on."""
        texts = [self.cookbook.recipe(stream, index).text for index in range(start, start + count)]
        return encode_documents(texts, self.tokenizer)

    def train_batches(self, batch_size: int, context: int, generator: torch.Generator) -> DocumentBatches:  # noqa: ARG002
        """Return the endless stream of training batches (in the stream's own order: the generator is not used)."""
        return DocumentBatches(lambda start, count: self.documents("train", start, count), batch_size, context + 1)

    def validation_batches(self, batch_size: int, context: int) -> Iterator[Batch]:
        """Yield the validation recipes once, each whole.

        Raises:
            ValueError: a recipe is longer than the context.
        """
        for start in range(0, self.validation_recipes, batch_size):
            batch = pad_rows(self.documents("validation", start, min(batch_size, self.validation_recipes - start)))
            if batch.tokens.shape[1] > context + 1:
                # The optimum is that of whole recipes; a part of one cannot be compared with it.
                raise ValueError(
                    f"a recipe must fit into the context of {context} tokens, one has {batch.tokens.shape[1] - 1}: "
                    "give a larger --context or --vocab-size"
                )
            yield batch

    def train_documents(self, tokens: int) -> list[list[int]]:
        """Return the first recipes of the training stream, about so many tokens in all."""
        sample = self.documents("train", 0, 64)
        return self.documents("train", 0, tokens * 64 // sum(map(len, sample)))

    def validation_documents(self) -> list[list[int]]:
        """Return the validation recipes."""
        return self.documents("validation", 0, self.validation_recipes)

    def optimum(self) -> float:
        """Return the loss of the grammar itself on the validation recipes, in nats per token: no model's is lower."""
        recipes = [self.cookbook.recipe("validation", index) for index in range(self.validation_recipes)]
        # The end token is a target too; it follows from the text at no cost.
        targets = sum(len(document) - 1 for document in self.validation_documents())
        return -sum(recipe.log_prob for recipe in recipes) / targets

    def characters_per_token(self) -> float:
        """Return the mean length of a validation target in characters."""
        characters = sum(len(self.cookbook.recipe("validation", i).text) for i in range(self.validation_recipes))
        return characters / sum(len(document) - 1 for document in self.validation_documents())


class TextCorpus:
    """One text, split by position: the last tenth validates, the rest trains.

    Args:
        train: token ids of the first nine tenths (an array or a memory-mapped file).
        validation: token ids of the last tenth.
        tokenizer: made them.
        characters: length of the validation text.
    """

    def __init__(self, train: np.ndarray, validation: np.ndarray, tokenizer: Tokenizer, characters: int) -> None:
        self.train, self.validation, self.tokenizer, self.characters = train, validation, tokenizer, characters

    @classmethod
    def from_text(cls, text: str, kind: str, vocab_size: int = 2048, gpt2_folder: Path | None = None) -> "TextCorpus":
        """Return the corpus of a text with a tokenizer of a kind: "char", "bpe" (trained on the first part) or "gpt2".

        Raises:
            ValueError: an empty text or an unknown kind.
        """
        if not text.strip():
            raise ValueError("there is no text to train on: the file is empty")
        cut = len(text) * 9 // 10
        if kind == "char":
            tokenizer = character_tokenizer(text)
        elif kind == "bpe":
            tokenizer = train_bpe([text[:cut]], vocab_size)
        elif kind == "gpt2" and gpt2_folder is not None:
            tokenizer = gpt2_tokenizer(gpt2_folder)
        else:
            raise ValueError(f"tokenizer must be char, bpe or gpt2 (with its folder); got {kind!r}")
        train, validation = (
            np.array(tokenizer.encode(part), dtype=np.uint16 if tokenizer.vocab_size < 2**16 else np.uint32)
            for part in (text[:cut], text[cut:])
        )
        return cls(train, validation, tokenizer, len(text) - cut)

    def save(self, folder: Path) -> None:
        """Write the tokens as memory-mappable files, and the tokenizer, into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "train.npy", self.train)
        np.save(folder / "validation.npy", self.validation)
        (folder / "characters.txt").write_text(f"{self.characters}\n", encoding="utf-8")
        self.tokenizer.save(folder)

    @classmethod
    def load(cls, folder: Path) -> "TextCorpus":
        """Return the corpus that `save` wrote, without reading its tokens into memory."""
        train, validation = (
            np.load(note_read(folder / f"{name}.npy"), mmap_mode="r") for name in ("train", "validation")
        )
        characters = int((folder / "characters.txt").read_text(encoding="utf-8"))
        return cls(train, validation, Tokenizer.load(folder), characters)

    def train_batches(self, batch_size: int, context: int, generator: torch.Generator) -> BlockBatches:
        """Return the endless stream of random blocks of the training part."""
        return BlockBatches(self.train, batch_size, context, generator)

    def validation_batches(self, batch_size: int, context: int) -> Iterator[Batch]:
        """Yield the validation part once, in disjoint blocks."""
        return whole_text(self.validation, batch_size, context)

    def train_documents(self, tokens: int) -> list[list[int]]:
        """Return the training part as one document (at most so many tokens)."""
        return [self.train[:tokens].tolist()]

    def validation_documents(self) -> list[list[int]]:
        """Return the validation part as one document."""
        return [self.validation.tolist()]

    def optimum(self) -> None:
        """Return None: nobody knows the entropy of a text that was not made from a known distribution."""
        return

    def characters_per_token(self) -> float:
        """Return the mean length of a validation target in characters."""
        return self.characters / len(self.validation)


Corpus = CookbookCorpus | TextCorpus
