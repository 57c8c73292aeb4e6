"""Voices that nobody speaks: the words that one voice uses everywhere are exchanged for others, the same throughout.

Theory: notes/10_getting_closer.md
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch
from jaxtyping import Int
from torch import Tensor
from tqdm import tqdm

from book_finetuning.attempts import LEARNING_RATE, MUON_LEARNING_RATE, fresh_vectors
from shared.nn.gpt import GPT
from shared.text.batches import Batch, pad_rows
from shared.text.books import recipe_part
from shared.text.cookbook import Cookbook
from shared.training.loop import train_steps
from shared.training.losses import language_model_loss
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedTokenizerBase

COMMON = 0.1  # share of the recipes in which a token stands that belongs to the voice, not to a dish
FIRST_RECIPE = 50_000  # in the stream, behind those that other scripts use


def words_of_the_voice(documents: Sequence[Sequence[int]], tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """Return the tokens, words with letters, that stand in many documents: the voice's own, not a dish's."""
    counts = Counter(token for document in documents for token in set(document))
    often = [token for token, count in sorted(counts.items()) if count > COMMON * len(documents)]
    return [token for token in often if str(tokenizer.decode([token])).strip().isalpha()]


def invent_voice(
    own: Int[Tensor, " own"], others: Int[Tensor, " others"], vocab_size: int, share: float, generator: torch.Generator
) -> Int[Tensor, " vocab"]:
    """Return a voice: for each token the one that is said in its place.

    A share of the voice's own words is exchanged one to one for words that it does not use, so that nothing is lost: a
    text in this voice is exactly as probable as the same text was.

    Args:
        own: words that may be exchanged.
        others: words to take instead; none of them is among the voice's own.
        vocab_size: distinct tokens.
        share: of the words.
        generator: draws on the CPU.
    """
    count = min(round(share * len(own)), len(others))
    leave = own[torch.randperm(len(own), generator=generator)[:count]]
    come = others[torch.randperm(len(others), generator=generator)[:count]]
    said = torch.arange(vocab_size)
    said[leave] = come
    return said


def documents_in_voices(
    documents: Sequence[Sequence[int]], voices: Sequence[Tensor], rows: int, generator: torch.Generator
) -> Iterator[Batch]:
    """Yield batches without end: documents in turn, each in a voice drawn at random."""
    place = 0
    while True:
        batch = []
        for _ in range(rows):
            voice = voices[int(torch.randint(len(voices), (), generator=generator))]
            batch.append(voice[torch.tensor(documents[place % len(documents)])].tolist())
            place += 1
        yield pad_rows(batch)


def go_on_pretraining(
    model: GPT,
    unseen: Int[Tensor, " unseen"],
    generator: torch.Generator,
    *,
    tokenizer: "PreTrainedTokenizerBase",
    voices: int,
    share: float,
    steps: int,
    rows: int,
) -> None:
    """Give new words vectors, and go on with pre-training on recipes in invented voices, in place.

    Args:
        model: the shipped one.
        unseen: tokens that it does not know.
        generator: draws vectors and voices.
        tokenizer: of the model.
        voices: how many; 0: the plain voice, as a baseline with as many steps.
        share: of the words of the voice that are exchanged.
        steps: of the optimizer.
        rows: recipes of a batch.
    """
    fresh_vectors(model, unseen, generator)
    documents = recipe_part(Cookbook(), "train", max(1, steps * rows), tokenizer, start=FIRST_RECIPE).documents
    own, size = torch.tensor(words_of_the_voice(documents[:500], tokenizer)), len(model.token_embedding.weight)
    spoken = [invent_voice(own, unseen.cpu(), size, share, generator) for _ in range(voices)] or [torch.arange(size)]
    trained = train_steps(
        model,
        documents_in_voices(documents, spoken, rows, generator),
        loss_function=language_model_loss,
        optimizers=make_optimizers(
            model, learning_rate=LEARNING_RATE, muon_learning_rate=MUON_LEARNING_RATE, weight_decay=0.1
        ),
        steps=steps,
        schedule=partial(warmup_linear, steps=steps, warmup=min(20, steps // 2)),
        precision="auto",
    )
    for _ in tqdm(trained, total=steps, desc=f"{voices} invented voices", unit="step"):
        pass
