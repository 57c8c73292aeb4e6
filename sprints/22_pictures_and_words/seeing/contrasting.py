"""Two towers learn which caption belongs to which scene: batches of pairs, the training, and vectors of many."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from seeing.captions import pairs
from seeing.contrastive import ContrastiveLoss
from seeing.drawing import pictures
from seeing.scenes import Scene
from seeing.two_towers import TwoTowers, text_tokens
from shared.lab.runtime import autocast
from shared.text.tokenizers import Tokenizer
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PairBatch = tuple[Float[Tensor, "pairs channels height width"], Int[Tensor, "pairs tokens"]]
MUON_TO_ADAM = 0.15  # AdamW's rate for embeddings, norms and projections, beside Muon's for the hidden matrices


class Contrast(nn.Module):
    """Two towers and their loss: what an optimizer gets. Called with a batch, it returns the loss."""

    def __init__(self, towers: TwoTowers, loss: ContrastiveLoss) -> None:
        super().__init__()
        self.towers, self.loss = towers, loss

    def forward(
        self, pictures: Float[Tensor, "pairs channels height width"], tokens: Int[Tensor, "pairs tokens"]
    ) -> Float[Tensor, ""]:
        """Return the loss of a batch of pairs, in nats per pair."""
        return self.loss(*self.towers(pictures, tokens))


def scene_batches(
    tokenizer: "Tokenizer | PreTrainedTokenizerBase", size: int, start: int = 0, stream: str = "train"
) -> Iterator[PairBatch]:
    """Yield batches of new scenes with a caption each, without end: no pair is seen twice."""
    while True:
        batch = pairs(stream, start, size)
        yield pictures([scene for scene, _ in batch]), text_tokens(tokenizer, [text for _, text in batch])
        start += size


def train_towers(
    contrast: Contrast,
    batches: Iterator[PairBatch],
    *,
    steps: int,
    rate: float,
    warmup: int = 50,
    precision: str = "auto",
) -> Iterator[tuple[int, float]]:
    """Train, and yield after each step the steps done and the loss on its batch before the update.

    Muon moves the hidden matrices of both towers, AdamW everything else at `MUON_TO_ADAM` of the rate; both warm up and
    fall linearly to zero. The scale is clamped after each step.
    """
    device = next(contrast.parameters()).device
    optimizers = make_optimizers(contrast, learning_rate=MUON_TO_ADAM * rate, muon_learning_rate=rate)
    schedule = partial(warmup_linear, steps=steps, warmup=min(warmup, steps // 4))

    def loss_of(model: Contrast, batch: PairBatch) -> tuple[Tensor, int]:
        shown, tokens = batch
        return model(shown.to(device), tokens.to(device)) * len(tokens), len(tokens)

    for step, loss in train_steps(
        contrast, batches, loss_function=loss_of, optimizers=optimizers, steps=steps, schedule=schedule,
        precision=precision,
    ):  # fmt: skip
        contrast.loss.clamp()
        yield step, loss


@torch.no_grad()
def encode_scenes(
    towers: TwoTowers,
    scenes: Sequence[Scene],
    tokens: Int[Tensor, "scenes tokens"],
    batch: int = 250,
    precision: str = "auto",
) -> tuple[Float[Tensor, "scenes features"], Float[Tensor, "scenes features"]]:
    """Return the vectors of scenes and of their captions, in evaluation mode, on the CPU in float32."""
    device, was_training = next(towers.parameters()).device, towers.training
    towers.eval()
    found = []
    with autocast(device, precision):
        for start in range(0, len(scenes), batch):
            rows = slice(start, start + batch)
            both = towers(pictures(scenes[rows]).to(device), tokens[rows].to(device))
            found.append([vectors.float().cpu() for vectors in both])
    towers.train(was_training)
    return torch.cat([shown for shown, _ in found]), torch.cat([said for _, said in found])
