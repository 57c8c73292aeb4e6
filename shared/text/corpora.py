"""What a language model is trained on: an endless cookbook whose optimum is known, or any text.

Both kinds of corpus answer the same questions: batches to train on, batches to validate on, documents for an n-gram.
"""

import hashlib
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import torch

from shared.text.batches import Batch, BlockBatches, DocumentBatches, pad_rows, whole_text
from shared.text.cookbook import VOICES, Cookbook
from shared.text.token_files import check_length, fingerprint, load_tokens, make_tokenizer, split_point, token_type
from shared.text.tokenizers import Tokenizer, encode_documents, train_bpe


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

    @cached_property
    def fingerprint(self) -> str:
        """16 digits of a SHA-256 of the tokenizer and of recipes in it: it changes with the grammar and the tokens."""
        said = f"{self.tokenizer.backend.to_str()} {self.documents('train', 0, 64)}"
        return hashlib.sha256(said.encode()).hexdigest()[:16]

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
        """Return the first recipes of the training stream, one at least, about so many tokens in all."""
        sample = self.documents("train", 0, 64)
        return self.documents("train", 0, max(1, tokens * 64 // sum(map(len, sample))))

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
    """One text, split by position: the end validates (`split_point`), the rest trains.

    Args:
        train: token ids of the first part (an array or a memory-mapped file).
        validation: token ids of the end.
        tokenizer: made them.
        characters: length of the validation text.

    Raises:
        ValueError: there are too few tokens to validate on.
    """

    def __init__(self, train: np.ndarray, validation: np.ndarray, tokenizer: Tokenizer, characters: int) -> None:
        check_length(train, validation)
        self.train, self.validation, self.tokenizer, self.characters = train, validation, tokenizer, characters

    @classmethod
    def from_text(cls, text: str, kind: str, vocab_size: int = 2048, gpt2_folder: Path | None = None) -> "TextCorpus":
        """Return the corpus of a text, whose first part a bpe learns from; errors as of `make_tokenizer`."""
        cut = split_point(len(text))
        tokenizer = make_tokenizer(kind, [text], [text[:cut]], vocab_size, gpt2_folder)
        parts = (np.array(tokenizer.encode(part), token_type(tokenizer)) for part in (text[:cut], text[cut:]))
        return cls(*parts, tokenizer, len(text) - cut)

    @classmethod
    def load(cls, folder: Path) -> "TextCorpus":
        """Return the corpus in a folder of `prepare_folder`, its tokens mapped, not read; as by `load_tokens`."""
        return cls(*load_tokens(folder))

    @cached_property
    def fingerprint(self) -> str:
        """16 digits of a SHA-256 of the tokens and the tokenizer."""
        return fingerprint(self.tokenizer, self.train, self.validation, self.characters)

    def opening(self) -> list[int]:
        """Return a token after which a text may go on: a line break, or the first of a text that has none."""
        try:
            return self.tokenizer.encode("\n")
        except ValueError:  # a tokenizer of characters
            return self.train[:1].tolist()

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
