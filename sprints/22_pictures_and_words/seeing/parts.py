"""Which parts of a model of pictures and words learn, and what its encoder has learnt before."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Literal, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from seeing.contrasting import Contrast, scene_batches, train_towers
from seeing.contrastive import ContrastiveLoss
from seeing.describing import PER_SEED
from seeing.drawing import pictures
from seeing.scenes import COLOURS, KINDS, SIDE, SIZES, Scene, scenes
from seeing.table_gpt import new_encoder
from seeing.two_towers import TextConfig, TwoTowers
from seeing.vision_language import PictureReader
from shared.nn.adapters import inject
from shared.nn.lora import LoRAConfig
from shared.nn.vision_config import VisionConfig
from shared.nn.vision_transformer import VisionTransformer
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

Start = Literal["random", "classified", "contrastive"]
STARTS: tuple[Start, ...] = get_args(Start)
Trained = Literal["projector", "encoder", "lora", "gpt", "all"]  # beside the projector, which is always new
TRAINED_PARTS: tuple[Trained, ...] = get_args(Trained)
LINEAR_LAYERS = ("qkv", "output", "expand", "contract")  # of the GPT's blocks
LOOKS = 1 + len(KINDS) * len(COLOURS) * len(SIZES)  # of a place: nothing, or a thing


def let_learn(model: PictureReader, parts: Trained, rank: int, generator: torch.Generator) -> int:
    """Freeze all of a model but the projector and some parts, and return how many numbers learn.

    Args:
        model: is changed in place; what it computes is not.
        parts: "projector" alone, or beside it "encoder", "lora" (in all linear layers of the GPT), "gpt", or "all".
        rank: of the adapters.
        generator: draws the adapters.
    """
    model.requires_grad_(False)
    model.projector.requires_grad_(True)
    if parts == "lora":
        inject(model.gpt, LoRAConfig(LINEAR_LAYERS, rank, alpha=2 * rank), generator=generator)
    if parts in ("encoder", "all"):
        model.encoder.requires_grad_(True)
    if parts in ("gpt", "all"):
        model.gpt.requires_grad_(True)
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def make_encoder(
    start: Start, vision: VisionConfig, steps: int, batch_size: int, rate: float, tokenizer: "PreTrainedTokenizerBase"
) -> VisionTransformer:
    """Return an encoder that has learnt nothing, to say what lies in each place, or which caption belongs to a scene.

    All see the same scenes, which no training on captions sees.
    """
    generator = torch.Generator().manual_seed(0)
    first = 1000 * PER_SEED
    if start == "contrastive":
        text = TextConfig(vocab_size=len(tokenizer), layers=2, d_model=vision.d_model, heads=vision.heads)
        towers = TwoTowers(vision, text, generator=generator)
        towers.vision.load_state_dict(new_encoder(vision, generator).state_dict())
        contrast = Contrast(towers, ContrastiveLoss())
        for _ in train_towers(contrast, scene_batches(tokenizer, batch_size, first), steps=steps, rate=rate):
            pass
        return contrast.towers.vision.eval()
    encoder = new_encoder(vision, generator)
    if start == "classified":
        for _ in learn_places(PlaceClassifier(encoder), first, steps, batch_size, rate):
            pass
    return encoder.eval()


class PlaceClassifier(nn.Module):
    """An encoder with a linear layer, which begins as zero, that says what lies in each place of the table."""

    def __init__(self, encoder: VisionTransformer) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.config.d_model, LOOKS)
        for parameter in self.head.parameters():
            nn.init.zeros_(parameter)

    def forward(self, shown: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch places looks"]:
        """Return the logits of what lies in each place, row by row; the tokens of a place's patches are averaged."""
        tokens = self.encoder.patch_tokens(shown)
        across = self.encoder.config.picture // self.encoder.config.patch // SIDE
        by_place = tokens.unflatten(1, (SIDE, across, SIDE, across)).mean(dim=(2, 4))
        return self.head(by_place.flatten(1, 2))


def looks_of(scene: Scene) -> Int[Tensor, " places"]:
    """Return the number of what lies in each place of a scene: 0 is nothing."""
    looks = torch.zeros(SIDE * SIDE, dtype=torch.long)
    for item in scene.items:
        number = (KINDS.index(item.kind) * len(COLOURS) + COLOURS.index(item.colour)) * len(SIZES)
        looks[item.row * SIDE + item.column] = 1 + number + SIZES.index(item.size)
    return looks


def learn_places(
    model: PlaceClassifier, first: int, steps: int, batch_size: int, rate: float
) -> Iterator[tuple[int, float]]:
    """Train a classifier of places on new scenes, and yield after each step its number and the loss of its batch."""

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for step in range(steps):
            drawn = scenes("train", first + step * batch_size, batch_size)
            yield pictures(drawn), torch.stack([looks_of(scene) for scene in drawn])

    def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, int]:
        shown, looks = batch
        return functional.cross_entropy(model(shown).flatten(0, 1), looks.flatten(), reduction="sum"), looks.numel()

    schedule = partial(warmup_linear, steps=steps, warmup=max(1, steps // 20))
    optimizers = make_optimizers(model, learning_rate=0.15 * rate, muon_learning_rate=rate)
    return train_steps(
        model, batches(), loss_function=loss, optimizers=optimizers, steps=steps, schedule=schedule, precision="auto"
    )
