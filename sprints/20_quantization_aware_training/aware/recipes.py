"""What the GPTs of this sprint read: whole recipes, or the lists of ingredients that recipes begin with.

Both are drawn from the cookbook's grammar, so the probability of each text is known, and the lowest loss of any model.
A list is half as long as its recipe, and a GPT of 141,000 parameters comes close to the optimum within a minute. It has
what is hard about a recipe: the dish decides which ingredients there are, the title has promised two of them, and the
amounts fit the servings.
"""

from functools import cache
from typing import NamedTuple

from shared.text.batches import Batch, DocumentBatches, pad_rows
from shared.text.cookbook import Cookbook
from shared.text.grammar import GrammarFault, Parser
from shared.text.tokenizers import Tokenizer, encode_documents, train_bpe

SALADS_AND_PASTA = Cookbook(dishes=("salad", "pasta"))
ENDING = f"\n{SALADS_AND_PASTA.words['method']}"  # of a list


class HeldOut(NamedTuple):
    """Texts to measure a model on, and the loss of the grammar itself on them, in nats per token."""

    batches: list[Batch]
    optimum: float


class Recipes:
    """Whole recipes: an endless stream to train on, one to validate on and one to test on.

    Args:
        tokenizer: turns texts into tokens.
    """

    context = 256  # tokens that a model of these texts looks at
    cookbook = Cookbook()

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer

    def text(self, stream: str, index: int) -> str:
        """Return text number `index` of the stream "train", "validation" or "test"."""
        return self.cookbook.recipe(stream, index).text

    def log_prob(self, text: str) -> float:
        """Return the log-probability of a text in nats."""
        return self.cookbook.log_prob(text)

    def documents(self, stream: str, start: int, count: int) -> list[list[int]]:
        """Return the tokens of `count` texts from number `start` on, each between two end tokens."""
        texts = [self.text(stream, index) for index in range(start, start + count)]
        return encode_documents(texts, self.tokenizer)

    def train_batches(self, batch_size: int, start: int) -> DocumentBatches:
        """Return an endless stream of batches to train on, from text number `start` on."""
        batches = DocumentBatches(
            lambda first, count: self.documents("train", first, count), batch_size, self.context + 1
        )
        batches.position = start
        return batches

    def held_out(self, stream: str, count: int, batch_size: int = 64) -> HeldOut:
        """Return the first texts of a stream in batches; the end token is a target too, and costs nothing."""
        documents = self.documents(stream, 0, count)
        targets = sum(len(document) - 1 for document in documents)
        total = sum(self.log_prob(self.text(stream, index)) for index in range(count))
        starts = range(0, count, batch_size)
        return HeldOut([pad_rows(documents[start : start + batch_size]) for start in starts], -total / targets)


class ShoppingLists(Recipes):
    """Titles and ingredients of salads and pasta, up to the method, in tokens of their own.

    Args:
        vocab_size: tokens of the byte-level BPE that is trained on lists.
        sample: how many lists it is trained on.
    """

    context = 128  # the longest of 20,000 lists has 104 tokens of the 512
    cookbook = SALADS_AND_PASTA

    def __init__(self, vocab_size: int = 512, sample: int = 1000) -> None:
        super().__init__(_list_tokenizer(vocab_size, sample))

    def text(self, stream: str, index: int) -> str:
        """Return list number `index` of a stream."""
        return _list(self.cookbook.recipe(stream, index).text)

    def log_prob(self, text: str) -> float:
        """Return the log-probability of a list in nats.

        Raises:
            ValueError: no recipe begins with this list.
        """
        parser = Parser(text)
        try:
            self.cookbook.write(parser)
        except GrammarFault as fault:
            # The list is over where the method has to begin, which is no choice: all choices so far are the list's.
            if fault.position == len(text) and fault.expected == (ENDING,):
                return parser.log_prob
        raise ValueError(f"a list is a title and its ingredients, as the cookbook begins a recipe; got {text[:60]!r}")


def _list(recipe: str) -> str:
    return recipe.partition(ENDING)[0]


@cache
def _list_tokenizer(vocab_size: int, sample: int) -> Tokenizer:
    recipes = (SALADS_AND_PASTA.recipe("train", index).text for index in range(sample))
    return train_bpe(map(_list, recipes), vocab_size)
