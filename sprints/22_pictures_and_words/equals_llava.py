"""Is the assembled model LLaVA? Logits, loss and all gradients beside the library's; then the same with faults in it.

    uv run sprints/22_pictures_and_words/equals_llava.py

A tiny encoder, projector and GPT-2 become a `LlavaForConditionalGeneration` with the same weights, as they are drawn
and with noise in every parameter. Theory: notes/07_pictures_before_words.md
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from seeing.llava import from_llava, to_llava, with_picture_places
from seeing.vision_language import PictureTexts, Projector, VisionLanguageModel, text_loss
from seeing.wrong_places import position_ids
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.prefix_gpt import read_vectors
from shared.nn.vision_config import VisionConfig
from shared.nn.vision_transformer import VisionTransformer

KINDS: tuple[Literal["vit", "clip"], ...] = ("vit", "clip")
VOCAB, QUESTION, TOKENS = 60, 3, 9  # the last token of the vocabulary marks the places of a picture


@dataclass(frozen=True)
class Config(ScriptConfig):
    deviation: PositiveFloat = 0.2  # of the noise in the parameters


@dataclass(frozen=True)
class Differences:
    """Largest differences from transformers."""

    logits: float
    loss: float
    gradients: float


@dataclass(frozen=True)
class Results:
    right: dict[str, Differences]
    faulty: dict[str, dict[str, float]]  # largest differences of a logit, at the start and perturbed


def build(kind: Literal["vit", "clip"], deviation: float, generator: torch.Generator) -> VisionLanguageModel:
    """Return a tiny model that leaves out its encoder's last block, as LLaVA does."""
    vision = VisionConfig(picture=12, patch=4, layers=2, heads=2, d_model=12, kind=kind)
    gpt = GPT(GPTConfig(vocab_size=VOCAB, context=32, layers=2, heads=4, d_model=16, dropout=0.0), generator)
    model = VisionLanguageModel(VisionTransformer(vision, generator), Projector(12, 16, generator), gpt, 1)
    for parameter in model.parameters():
        parameter.data += deviation * torch.randn(parameter.shape, generator=generator)
    return model.eval()


def compare(model: VisionLanguageModel, batch: PictureTexts) -> Differences:
    """Return how far the model is from LLaVA with the same weights."""
    theirs, patches = to_llava(model, VOCAB - 1), model.encoder.config.patches
    labels = torch.cat([batch.tokens.new_full((len(batch.tokens), patches), -100), batch.tokens], dim=1)
    labels[:, patches:][~batch.scored] = -100
    inputs = with_picture_places(batch.tokens, patches, VOCAB - 1)
    output = theirs(input_ids=inputs, pixel_values=batch.pictures, labels=labels, use_cache=False)
    loss, count = text_loss(model, batch)
    (loss / count).backward()
    output.loss.backward()
    logits = (model(batch.pictures, batch.tokens) - output.logits[:, patches:]).abs().max().item()
    expected, ours = gradients_of(theirs), gradients_of(model)
    gradients = max(float((ours[name] - expected[name]).abs().max()) for name in ours)
    return Differences(logits, abs(loss.item() / count - output.loss.item()), gradients)


def gradients_of(model: nn.Module) -> dict[str, Tensor]:
    """Return all gradients under our names, 0 where there is none.

    LLaVA is converted with gradients in the place of weights.
    """
    copied = copy.deepcopy(model)
    for twin, parameter in zip(copied.parameters(), model.parameters(), strict=True):
        twin.data = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
    return (copied if isinstance(copied, VisionLanguageModel) else from_llava(copied)).state_dict()  # ty: ignore


def behind_vectors(model: VisionLanguageModel, vectors: Tensor, tokens: Tensor, text_from_0: bool = False) -> Tensor:
    """Return the logits of texts behind vectors of pictures."""
    patches = vectors.shape[1]
    both = torch.cat([vectors, model.gpt.token_embedding(tokens)], dim=1)
    kind = "text begins at 0 again" if text_from_0 else "as in training"
    return read_vectors(model.gpt, both, positions=position_ids(kind, patches, tokens.shape[1]))[:, patches:]


def with_features(features: Callable[[VisionLanguageModel, Tensor], Tensor]) -> Callable:
    """Return what computes logits when the projector reads other features."""
    return lambda model, pictures, tokens: behind_vectors(model, model.projector(features(model, pictures)), tokens)


def with_activation(activation: nn.Module) -> Callable:
    """Return what computes logits when the projector has another activation."""

    def logits(model: VisionLanguageModel, pictures: Tensor, tokens: Tensor) -> Tensor:
        vectors = model.projector[2](activation(model.projector[0](model.features(pictures))))  # ty: ignore
        return behind_vectors(model, vectors, tokens)

    return logits


FAULTS: dict[str, Callable[[VisionLanguageModel, Tensor, Tensor], Tensor]] = {
    "the encoder's last block is not left out": with_features(lambda model, x: model.encoder.before_norm(x)[:, 1:]),
    "the class token is read, the last patch is not": with_features(
        lambda model, x: model.encoder.before_norm(x, 1)[:, :-1]
    ),
    "patches column by column": with_features(
        lambda model, x: model.features(x).unflatten(1, (3, 3)).transpose(1, 2).flatten(1, 2)
    ),
    "GELU by its tanh formula": with_activation(nn.GELU("tanh")),
    "no activation in the projector": with_activation(nn.Identity()),
    "positions of the text begin at 0": lambda model, x, tokens: behind_vectors(model, model.vectors(x), tokens, True),
}


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    generator = seed_everything(config.seed)
    tokens = torch.randint(VOCAB - 1, (4, TOKENS), generator=generator)
    scored = (torch.arange(TOKENS) >= QUESTION).expand(4, -1)  # the first tokens are a question
    batch = PictureTexts(torch.randn(4, 3, 12, 12, generator=generator), tokens, scored)
    states = {"as drawn": 0.0, "perturbed": config.deviation}
    right = {
        f"{kind}, {state}": compare(build(kind, deviation, generator), batch)
        for kind in KINDS
        for state, deviation in states.items()
    }
    for name, found in right.items():
        print(f"{name}: " + ", ".join(f"{key} {value:.0e}" for key, value in vars(found).items()))
    faulty: dict[str, dict[str, float]] = {}
    with torch.no_grad():
        for state, deviation in states.items():
            model = build("clip", deviation, generator)
            expected = model(batch.pictures, tokens)
            for name, logits in FAULTS.items():
                difference = (logits(model, batch.pictures, tokens) - expected).abs().max().item()
                faulty.setdefault(name, {})[state] = difference
    for name, found in faulty.items():
        print(f"{name}: " + ", ".join(f"{state} {value:.0e}" for state, value in found.items()))
    return Results(right, faulty)


if __name__ == "__main__":
    run(main, Config)
