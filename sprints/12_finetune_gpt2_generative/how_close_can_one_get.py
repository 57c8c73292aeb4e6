"""How close can one get to the optimum with so short a book? Learners that need no training, on the unseen chapter.

    uv run sprints/12_finetune_gpt2_generative/how_close_can_one_get.py

A 5-gram of the book knows nothing else. Two readers know the whole grammar, and learn from the book only how the voice
words it; below them is the grammar itself. Theory: notes/04_how_close_can_one_get.md
"""

from dataclasses import dataclass
from functools import partial

from book_finetuning.best_readers import best_readers
from shared.lab.config import ScriptConfig
from shared.lab.ranges import ExistingFile, PositiveInt
from shared.lab.run import run
from shared.nn.pretrained import SHIPPED, load_tokenizer
from shared.text.books import SHIPPED_BOOK, open_book
from shared.text.ngrams import KneserNey
from shared.training.losses import perplexity


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # whose tokenizer: cookbook (the shipped model), smollm2, a folder, gpt2
    book: ExistingFile = SHIPPED_BOOK  # a text in chapters, see the README
    validation: PositiveInt = 1  # chapters that are neither learnt from nor scored
    test: PositiveInt = 1  # chapters that are scored
    order: PositiveInt = 5  # tokens of the longest n-gram


@dataclass(frozen=True)
class Results:
    """Of each learner the loss in nats per token; None where no grammar is known. `new_wordings` are those scored."""

    loss: dict[str, float | None]
    perplexity: dict[str, float | None]
    above_optimum: dict[str, float | None]
    new_wordings: int | None


def main(config: Config) -> Results:
    tokenizer = load_tokenizer(config.model)
    book = open_book(config.book, tokenizer, config.validation, config.test)
    ngram = KneserNey(config.order, len(tokenizer)).fit(book.train.documents)
    loss: dict[str, float | None] = {f"{config.order}-gram": ngram.loss(book.test.documents)}
    loss |= {"spells": None, "counts": None, "optimum": book.test.optimum}
    new_wordings = None
    # A book may begin with a recipe and go on with something else, of which the grammar knows nothing.
    if book.cookbook is not None and book.train.optimum is not None and book.test.optimum is not None:
        encode = partial(tokenizer.encode, add_special_tokens=False, split_special_tokens=True)
        best = best_readers(book.cookbook, book.train.scenes, book.test.scenes, encode, len(tokenizer))
        loss |= {"spells": best.spells / book.test.targets, "counts": best.counts / book.test.targets}
        new_wordings = best.new_wordings
    optimum = loss["optimum"]
    results = Results(
        loss=loss,
        perplexity={name: None if nats is None else perplexity(nats) for name, nats in loss.items()},
        above_optimum={name: nats / optimum - 1 if nats and optimum else None for name, nats in loss.items()},
        new_wordings=new_wordings,
    )
    for name, above in results.above_optimum.items():
        print(name, f"{loss[name]:.4f} nats" if loss[name] else "", f"{above:+.1%}" if above is not None else "")
    return results


if __name__ == "__main__":
    run(main, Config)
