"""How a model of pictures and words learns: batches of captions and of questions, and the training."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn

from seeing.captions import pairs
from seeing.drawing import pictures
from seeing.questions import QUESTION_KINDS, Question, questions
from seeing.scenes import Scene
from seeing.vision_language import PictureTexts, text_loss, with_answers, with_captions
from shared.text.tokenizers import encode_texts
from shared.training.loop import train_steps
from shared.training.optimizers import hidden_matrices, make_optimizers
from shared.training.schedules import warmup_linear

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

Told = Sequence[tuple[Scene, str]]
Asked = Sequence[tuple[Scene, Question]]
Eyes = Callable[[Sequence[Scene]], Tensor]  # makes (scenes, 3, height, width) of scenes
PER_SEED = 1_000_000  # scenes from the first of one seed to the first of the next one


@dataclass(frozen=True)
class Budget:
    """What every training has: rates are those of AdamW, and of Muon for the hidden matrices."""

    steps: int
    learning_rate: float
    muon_learning_rate: float | None
    precision: Literal["auto", "bfloat16", "float32"] = "auto"


def grey(scenes: Sequence[Scene]) -> Tensor:
    """Return pictures that show nothing, each the same: what a blind model sees."""
    return torch.zeros_like(pictures(scenes[:1])).expand(len(scenes), -1, -1, -1)


def caption_batches(
    tokenizer: "PreTrainedTokenizerBase", seed: int, size: int, see: Eyes = pictures
) -> Iterator[PictureTexts]:
    """Yield batches of new scenes with a caption each, without end; every seed has scenes of its own."""
    start = seed * PER_SEED
    while True:
        yield told_batch(pairs("train", start, size), tokenizer, see)
        start += size


def question_batches(
    tokenizer: "PreTrainedTokenizerBase", seed: int, size: int, see: Eyes = pictures
) -> Iterator[PictureTexts]:
    """Yield batches of new scenes with a question each, as many of every kind, without end."""
    start, each = seed * PER_SEED, max(1, size // len(QUESTION_KINDS))
    while True:
        asked = [pair for kind in QUESTION_KINDS for pair in questions("train", kind, start, each)]
        yield asked_batch(asked, tokenizer, see)
        start += each


def told_batch(told: Told, tokenizer: "PreTrainedTokenizerBase", see: Eyes = pictures) -> PictureTexts:
    """Return scenes and their captions as a batch."""
    captions = encode_texts([caption for _, caption in told], tokenizer)
    return with_captions(see([scene for scene, _ in told]), captions, end_of(tokenizer))


def asked_batch(asked: Asked, tokenizer: "PreTrainedTokenizerBase", see: Eyes = pictures) -> PictureTexts:
    """Return scenes and their questions as a batch in which the answers alone are scored."""
    texts = encode_texts([question.text for _, question in asked], tokenizer)
    answers = encode_texts([f" {question.answer}" for _, question in asked], tokenizer)
    return with_answers(see([scene for scene, _ in asked]), texts, answers, end_of(tokenizer))


def end_of(tokenizer: "PreTrainedTokenizerBase") -> int:
    """Return the token that begins and ends a text."""
    assert isinstance(tokenizer.eos_token_id, int)
    return tokenizer.eos_token_id


def learn(model: nn.Module, batches: Iterator[PictureTexts], budget: Budget) -> Iterator[tuple[int, float]]:
    """Train what of a model is not frozen, and yield after each step its number and the loss in nats per token.

    Raises:
        NonFiniteTraining: the loss or a gradient is no number any more.
    """
    device = next(model.parameters()).device
    # A projector alone has none of the matrices that Muon is meant for.
    muon = budget.muon_learning_rate if hidden_matrices(model) else None
    optimizers = make_optimizers(model, learning_rate=budget.learning_rate, muon_learning_rate=muon)
    return train_steps(
        model,
        (batch.to(device) for batch in batches),
        loss_function=text_loss,
        optimizers=optimizers,
        steps=budget.steps,
        schedule=partial(warmup_linear, steps=budget.steps, warmup=max(1, budget.steps // 20)),
        precision=budget.precision,
    )
