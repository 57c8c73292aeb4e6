"""What the GPT knew before it saw a picture: recipes, to measure what it forgets."""

from typing import TYPE_CHECKING

from shared.text.batches import Batch, pad_rows
from shared.text.cookbook import Cookbook
from shared.text.tokenizers import encode_documents

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

ROWS, LONGEST = 8, 200  # recipes of a batch, and tokens to which they are cut


def recipe_rows(tokenizer: "PreTrainedTokenizerBase", count: int) -> list[Batch]:
    """Return recipes as batches, the same at each call; the shipped GPT has learnt others of this kind."""
    recipes = [Cookbook().recipe("validation", 10_000 + number).text for number in range(count)]
    documents = [document[:LONGEST] for document in encode_documents(recipes, tokenizer)]
    return [pad_rows(documents[start : start + ROWS]) for start in range(0, count, ROWS)]
