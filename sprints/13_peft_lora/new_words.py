"""What can LoRA in the blocks not learn? Words that the model has never seen.

    uv run sprints/13_peft_lora/new_words.py
    uv run sprints/13_peft_lora/new_words.py --preset full

The book has words whose vectors pre-training never told apart. Its loss is split: targets that are such words, and all
others. Without a preset four ways learn for three epochs; --preset full has all six, for twice as long.
Theory: notes/05_new_words.md
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import peft
import torch
from matplotlib.figure import Figure
from torch.nn import functional

from adapter_study.adaptation_loop import AdaptationSettings, tune
from adapter_study.base_model import load_base, renew_unseen
from adapter_study.model_defaults import block_length, find_names, modules_of, rate_of, rows_at_once
from adapter_study.tuning_methods import count, peft_config, prepare
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFile, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.lora import LoRAConfig
from shared.nn.pretrained import SHIPPED
from shared.text.batches import TextDataset
from shared.text.books import SHIPPED_BOOK, Book, BookPart, open_book
from shared.text.unseen_words import unseen_tokens
from shared.training.losses import token_losses

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel

Way = Literal["blocks", "renewed", "ends", "rows", "full", "full, renewed"]
WAYS: dict[str, str] = {
    "blocks": "LoRA in the blocks",
    "renewed": "the same, each new word given a random vector first",
    "ends": "LoRA in the blocks, on the embedding and on the head",
    "rows": "LoRA on queries, keys and values, and the new words' rows of the embedding trained whole",
    "full": "full fine-tuning",
    "full, renewed": "the same, each new word given a random vector first",
}

PRESETS = {"full": {"ways": get_args(Way), "epochs": 6}}
TOLERANCE = {"ways.*.loss": TRAINED, "ways.*_words": TRAINED}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), smollm2, a folder, or a name of the hub such as gpt2
    book: ExistingFile = SHIPPED_BOOK  # the book: a UTF-8 text in chapters
    ways: tuple[Way, ...] = ("blocks", "ends", "rows", "full")  # which to compare
    rank: PositiveInt = 2  # rank of LoRA
    epochs: PositiveInt = 3  # passes over the training chapters
    rates: tuple[PositiveFloat, ...] | None = None  # peak learning rates to choose from with LoRA (None: one, by size)
    full_rates: tuple[PositiveFloat, ...] | None = None  # the same for full fine-tuning (None: one, by size)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"  # of matrix products


@dataclass(frozen=True)
class NewWordsOutcome:
    """Trained parameters, and nats per token on the validation chapter: all targets, new words, other words.

    The rate is the one of those tried that validates best.
    """

    what: str
    rate: float | None
    parameters: int
    share: float
    loss: float
    new_words: float
    other_words: float


@dataclass(frozen=True)
class Results:
    unseen: int
    cosine: float
    cosine_of_others: float
    words_in_book: int
    share_of_targets: float
    bound: float
    before: NewWordsOutcome
    ways: dict[str, NewWordsOutcome]


@torch.no_grad()
def split_loss(model: "PreTrainedModel", part: BookPart, words: list[int]) -> tuple[float, float, float]:
    """Return the mean loss over all targets, over targets that are new words, and over the others."""
    is_new = torch.zeros(model.config.vocab_size, dtype=torch.bool).index_fill_(0, torch.tensor(words), True)
    losses, new, length = [], [], block_length(model)
    for batch in TextDataset(part.documents, length).batches(rows_at_once(model, length)):
        tokens, mask = (tensor.to(model.device) for tensor in batch)  # ty: ignore[missing-union-attribute]
        targets = mask[:, 1:].cpu()
        losses.append(token_losses(model(input_ids=tokens[:, :-1]).logits, tokens, mask).cpu()[targets])
        new.append(is_new[batch.tokens[:, 1:]][targets])
    every, which = torch.cat(losses), torch.cat(new)
    return every.mean().item(), every[which].mean().item(), every[~which].mean().item()


def mean_cosine(embedding: torch.Tensor, tokens: torch.Tensor) -> float:
    """Return the mean cosine of the vectors of two different tokens of these."""
    unit = functional.normalize(embedding[tokens], dim=1)
    pairs = unit @ unit.mT
    return ((pairs.sum() - pairs.trace()) / (len(tokens) * (len(tokens) - 1))).item()


def adapt(way: str, config: Config, model: "PreTrainedModel", words: list[int], generator: torch.Generator):
    """Return the model with what this way trains set to be trained."""
    if "renewed" in way:
        renew_unseen(model, generator)
    if way == "rows":
        settings = peft_config(LoRAConfig(modules_of(model).attention, config.rank, 2 * config.rank), model)
        settings.trainable_token_indices = {
            modules_of(model).ends[0]: words
        }  # and with them the rows of the head, which is tied
        return peft.get_peft_model(model, settings)
    targets = find_names(model, ("linear", "ends") if way == "ends" else ("linear",))
    lora = LoRAConfig(targets, config.rank, 2 * config.rank)
    return prepare("full" if way.startswith("full") else "lora", model, lora, generator)


def try_way(way: str, rate: float, config: Config, book: Book, words: list[int]) -> NewWordsOutcome:
    """Tune a fresh model in one way, with one learning rate, and return what came of it."""
    generator = seed_everything(config.seed)
    base, _ = load_base(config.model, 0.0, pick_device(config.device))
    size = base.num_parameters()
    model = adapt(way, config, base, words, generator)
    tune(model, book, AdaptationSettings(config.epochs, rate, precision=config.precision), generator)
    losses = split_loss(model, book.validation, words)
    return NewWordsOutcome(WAYS[way], rate, count(model), count(model) / size, *losses)


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)
    base, tokenizer = load_base(config.model, 0.0, pick_device(config.device))
    book = open_book(config.book, tokenizer)
    embedding = base.get_input_embeddings().get_parameter("weight").detach().cpu()
    unseen = unseen_tokens(embedding)
    others = torch.ones(len(embedding), dtype=torch.bool).index_fill_(0, unseen, False).nonzero()[:, 0]
    used = {token for document in book.train.documents for token in document}
    words = sorted(used & set(unseen.tolist()))
    if not words:
        raise ValueError(f"{config.model} has seen every word of {config.book.name}: there are no new words to study")
    before = NewWordsOutcome("the model as it is", None, 0, 0.0, *split_loss(base, book.validation, words))
    ways = {}
    for way in config.ways:
        full = way.startswith("full")
        rates = (config.full_rates if full else config.rates) or (rate_of(base, "full" if full else "lora"),)
        tried = [try_way(way, rate, config, book, words) for rate in rates]
        ways[way] = best = min(tried, key=lambda outcome: outcome.loss)
        print(
            f"{way:14s} {best.share:6.1%}  rate {best.rate:g}  loss {best.loss:.3f}  "
            f"new words {best.new_words:.3f}  others {best.other_words:.3f}"
        )
    targets = [token for document in book.validation.documents for token in document[1:]]
    return Results(
        unseen=len(unseen),
        cosine=mean_cosine(embedding, unseen),
        cosine_of_others=mean_cosine(embedding, others),
        words_in_book=len(words),
        share_of_targets=sum(token in set(words) for token in targets) / len(targets),
        bound=math.log(len(unseen)),
        before=before,
        ways=ways,
    )


def plot(results: Results) -> Figure:
    """Draw the loss on new words and on the others for each way, and the bound for words that share one vector."""
    figure, axes = new_figure(7.5, 3.8)
    ticks = range(len(results.ways))
    new, others = zip(*((way.new_words, way.other_words) for way in results.ways.values()), strict=True)
    axes.bar([tick - 0.2 for tick in ticks], new, 0.4, label="targets that are new words")
    axes.bar([tick + 0.2 for tick in ticks], others, 0.4, label="other targets")
    axes.axhline(results.bound, color="black", linestyle="--", label="least for words that share one vector")
    axes.set_xticks(ticks, [f"{name}\n{way.share:.1%}" for name, way in results.ways.items()])
    axes.set(ylabel="nats per token, validation chapter", xlabel="what is tuned, and its part of the parameters")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
