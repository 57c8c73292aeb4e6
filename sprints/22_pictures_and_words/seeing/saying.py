"""What a model of pictures and words says, measured: nats a caption, facts that are right, answers that are right."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor, nn

from seeing.describing import Asked, Eyes, Told, end_of, told_batch
from seeing.drawing import pictures
from seeing.facts import FACTS, facts_right
from seeing.questions import read_answer
from seeing.scenes import Scene
from seeing.vision_language import PictureReader, PictureTexts
from shared.text.tokenizers import encode_texts
from shared.training.losses import token_losses

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

ROWS = 100  # pictures of a batch of a measurement
LONGEST = 60  # tokens of a caption at most: those of the world have fewer than 50
LONGEST_ANSWER = 6


@torch.no_grad()
def nats_a_text(model: nn.Module, batches: Sequence[PictureTexts]) -> float:
    """Return the mean over texts of all that is scored in one, in nats; for captions a bound of H(caption | scene)."""
    was_training, device = model.training, next(model.parameters()).device
    model.eval()
    total = 0.0
    for batch in (batch.to(device) for batch in batches):
        logits = model(batch.pictures, batch.tokens[:, :-1])
        total += token_losses(logits, batch.tokens, batch.scored).sum().item()
    model.train(was_training)
    return total / sum(len(batch.tokens) for batch in batches)


def in_batches(told: Told, tokenizer: "PreTrainedTokenizerBase", see: Eyes = pictures) -> list[PictureTexts]:
    """Return scenes and their captions as batches to measure on."""
    return [told_batch(told[start : start + ROWS], tokenizer, see) for start in range(0, len(told), ROWS)]


def captions_by(
    model: PictureReader, seen: Float[Tensor, "scenes channels height width"], tokenizer: "PreTrainedTokenizerBase"
) -> list[str]:
    """Return what a model says of pictures, (scenes, 3, height, width), each time the most probable word."""
    return _write(model, seen, [[] for _ in seen], tokenizer, LONGEST)


def answers_by(
    model: PictureReader, asked: Asked, tokenizer: "PreTrainedTokenizerBase", see: Eyes = pictures
) -> list[str]:
    """Return what a model answers."""
    prompts = encode_texts([question.text for _, question in asked], tokenizer)
    return _write(model, see([scene for scene, _ in asked]), prompts, tokenizer, LONGEST_ANSWER)


def accuracy(answers: Sequence[str], asked: Asked) -> float:
    """Return the share of questions that are answered as they should be."""
    right = [
        read_answer(question.kind, answer) == question.answer
        for answer, (_, question) in zip(answers, asked, strict=True)
    ]
    return sum(right) / len(right)


def shares_right(captions: Sequence[str], scenes: Sequence[Scene]) -> dict[str, float]:
    """Return the share of right statements of each kind of fact; nothing stated counts as nothing right."""
    counted = [facts_right(caption, scene) for caption, scene in zip(captions, scenes, strict=True)]
    found = {}
    for name in FACTS:
        right, made = (sum(facts[name][part] for facts in counted) for part in (0, 1))
        found[name] = right / made if made else 0.0
    return found


def worth_used(loss: float, entropy: float, entropy_given_scene: float) -> float:
    """Return how much of what the picture is worth a caption loss makes use of: 0 for a blind model, at best 1."""
    return (entropy - loss) / (entropy - entropy_given_scene)


def _write(
    model: PictureReader,
    seen: Float[Tensor, "scenes channels height width"],
    prompts: list[list[int]],
    tokenizer: "PreTrainedTokenizerBase",
    most: int,
) -> list[str]:
    """Return the most probable text behind each picture and prompt."""
    end, device, texts = end_of(tokenizer), next(model.parameters()).device, []
    was_training = model.training
    model.eval()
    for start in range(0, len(seen), ROWS):
        rows = [[end, *prompt] for prompt in prompts[start : start + ROWS]]
        written = model.write(seen[start : start + ROWS].to(device), rows, max_new_tokens=most, end_token=end)
        texts += [str(tokenizer.decode(row)).strip() for row in written]
    model.train(was_training)
    return texts
