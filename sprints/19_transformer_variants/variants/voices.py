"""Text of two voices whose optimum is known: how a dish is made, in plain words or in flirty ones."""

import math
from collections.abc import Iterator
from functools import cached_property, partial
from itertools import count
from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn

from shared.nn.mixtral import Mixtral
from shared.nn.mixture_of_experts import balance_loss
from shared.text.batches import pad_rows
from shared.text.grammar import Choice, Pen, Sampler, choice
from shared.text.phrases import Slot
from shared.text.recipe_grammar import VOICES, RecipeGrammar
from shared.text.tokenizers import Tokenizer, encode_documents, train_bpe
from shared.training.losses import count_targets, language_model_loss, token_losses

STREAMS = ("train", "validation", "test")
TOKENIZER_TEXTS = 500


class FreeSlots(dict[str, Slot]):
    """What the blanks of a step stand for: anything of the right kind, drawn on the spot."""

    def __init__(self, grammar: RecipeGrammar, dish: str) -> None:
        first, second = grammar.dishes[dish]["stars"]
        alias = {"first": first, "second": second, "earlier": first, "later": second}
        spices = [role for role in grammar.pantry if role.startswith("spice_")]
        roles = {role: [role] for role in grammar.pantry} | {"spice": spices}
        roles |= {name: [role] for name, role in alias.items()}
        names = {
            name: sorted({item.short for role in taken for item in grammar.pantry[role]})
            for name, taken in roles.items()
        }
        super().__init__({name: choice(*_prefix_free(items)) for name, items in names.items()})
        self["minutes"], self["servings"], self["dish"] = choice("10", "20", "30", "40"), choice("2", "4", "6"), dish

    def __missing__(self, name: str) -> Slot:
        """Return what writes both ingredients of `{x&y}`."""

        def write(pen: Pen) -> None:
            for index, part in enumerate(name.split("&")):
                pen.write(" and the " if index else "")
                slot = self[part]
                assert isinstance(slot, Choice)
                pen.choose(slot, part)

        return write


def _prefix_free(names: list[str]) -> list[str]:
    return [name for name in names if not any(name != other and name.startswith(other) for other in names)]


class Methods(RecipeGrammar):
    """The grammar of methods in one voice: a dish, and the steps that it takes."""

    def write_method(self, pen: Pen) -> None:
        """Write one method: this is the whole grammar."""
        dishes = [*self.dishes]
        dish = dishes[pen.choose(choice(*(f"{name}: " for name in dishes)), "dish")]
        for index, step in enumerate(self.dishes[dish]["steps"]):
            pen.write("\n" if index else "")
            self.steps[step].write(pen, self.slots[dish])

    @cached_property
    def slots(self) -> dict[str, FreeSlots]:
        """What the blanks stand for, by the dish."""
        return {dish: FreeSlots(self, dish) for dish in self.dishes}


class VoicedRows(NamedTuple):
    """Texts, a row each: tokens, True where one is real, and the voice of each row (0 plain, 1 flirty)."""

    tokens: Int[Tensor, "batch tokens"]
    real: Bool[Tensor, "batch tokens"]
    voice: Int[Tensor, " batch"]


class TwoVoices:
    """A stream of methods in which every second one is flirty.

    Args:
        dishes: the kinds of dish, as those of the cookbook; fewer make less to learn.
        vocab_size: tokens of a byte-level BPE that is trained on the first methods of the training stream.
    """

    def __init__(self, dishes: tuple[str, ...], vocab_size: int = 1024) -> None:
        self.grammars = [Methods(voice, dishes) for voice in VOICES]
        texts = (self.text("train", index)[0] for index in range(TOKENIZER_TEXTS))
        self.tokenizer: Tokenizer = train_bpe(texts, vocab_size)

    def text(self, stream: str, index: int) -> tuple[str, float]:
        """Return method number `index` of a stream and its log-probability in nats: plain where it is even."""
        pen = Sampler(torch.Generator().manual_seed(index * len(STREAMS) + STREAMS.index(stream)))
        self.grammars[index % 2].write_method(pen)
        # Each voice comes with probability 1/2, and no text is one of both.
        return pen.text, pen.log_prob - math.log(2)

    def rows(self, stream: str, start: int, number: int) -> VoicedRows:
        """Return so many methods of a stream, padded on the right."""
        indices = range(start, start + number)
        documents = encode_documents([self.text(stream, index)[0] for index in indices], self.tokenizer)
        tokens, _ = pad_rows(documents)
        lengths = torch.tensor([len(document) for document in documents])
        return VoicedRows(tokens, torch.arange(tokens.shape[1]) < lengths[:, None], torch.tensor(indices) % 2)

    def train_batches(self, batch_size: int, start: int = 0) -> Iterator[VoicedRows]:
        """Yield batches of the training stream without end, from method `start` on."""
        return map(partial(self.rows, "train", number=batch_size), count(start, batch_size))

    def optimum(self, stream: str, number: int) -> float:
        """Return the loss of the grammar itself on the first methods of a stream, in nats per token."""
        log_probs = [self.text(stream, index)[1] for index in range(number)]
        tokens, real, _ = self.rows(stream, 0, number)
        return -sum(log_probs) / count_targets(tokens, real)


def loss_with_balance(model: nn.Module, rows: VoicedRows, coefficient: float) -> tuple[Tensor, int]:
    """Return the summed loss of a batch, with the balance loss of its real tokens if there are experts, and the count.

    `train_steps` divides by the number of targets; the balance loss is multiplied by it, so that beside the mean loss
    of a token it has the weight of the coefficient.
    """
    if not isinstance(model, Mixtral) or not coefficient:
        return language_model_loss(model, (rows.tokens, rows.real))
    logits, routing = model.with_routing(rows.tokens[:, :-1])
    targets = count_targets(rows.tokens, rows.real)
    balance = balance_loss(routing, rows.real[:, :-1])
    return token_losses(logits, rows.tokens, rows.real).sum() + coefficient * targets * balance, targets
