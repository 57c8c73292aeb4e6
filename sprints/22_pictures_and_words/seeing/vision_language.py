"""Pictures before words (Liu et al. 2023): an encoder's patches become vectors that a GPT reads before its text.

model = VisionLanguageModel(VisionTransformer(VisionConfig()), Projector(128, gpt.config.d_model), gpt)
logits = model(pictures, tokens)  # (batch, tokens, vocab): those of the text alone
model.eval().write(pictures, [[end]] * len(pictures), max_new_tokens=60, end_token=end)
"""

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from shared.generation.decoding import CausalModel, generate
from shared.nn.blocks import GPTBlock
from shared.nn.gpt import GPT
from shared.nn.prefix_gpt import PrefixGPT, refuse_if_too_long
from shared.nn.vision_transformer import VisionTransformer
from shared.text.batches import pad_rows
from shared.training.losses import count_targets, token_losses

Pictures = Float[Tensor, "batch channels height width"]
Tokens = Int[Tensor, "batch tokens"]


class PictureTexts(NamedTuple):
    """A batch: pictures, a row of tokens for each, and True where a token is scored: neither padding nor a question."""

    pictures: Pictures
    tokens: Tokens
    scored: Bool[Tensor, "batch tokens"]

    def to(self, device: torch.device) -> "PictureTexts":
        """Return the batch on a device."""
        return PictureTexts(*(part.to(device) for part in self))


class Projector(nn.Sequential):
    """Two layers with GELU between them, for each patch alone (Liu et al. 2024, section 3.2).

    Args:
        features: numbers of a patch, as the encoder gives them.
        d_model: numbers of a word vector.
        generator: draws the initial weights (default: PyTorch's global one).
    """

    def __init__(self, features: int, d_model: int, generator: torch.Generator | None = None) -> None:
        super().__init__(nn.Linear(features, d_model), nn.GELU(), nn.Linear(d_model, d_model))
        for layer in self:
            if isinstance(layer, nn.Linear):  # as `nn.Linear` draws them, with a generator of one's own
                for parameter in (layer.weight, layer.bias):
                    nn.init.uniform_(
                        parameter, -(layer.in_features**-0.5), layer.in_features**-0.5, generator=generator
                    )


class PictureReader(nn.Module):
    """An encoder of pictures, a projector and a GPT, trained as one or in parts: freeze what shall stay.

    How the GPT gets to see the vectors, `behind` says: before its text (`VisionLanguageModel`) or beside it
    (`seeing/cross_attention.py`).

    Args:
        encoder: makes a token of each patch.
        projector: makes a vector of a word's width of each of them.
        gpt: reads the vectors and the text.
        skipped_blocks: how many of the encoder's last blocks are left out, and its last norm with them (LLaVA: 1);
            None reads what the whole encoder gives.

    Raises:
        ValueError: there are not so many blocks.
    """

    def __init__(
        self, encoder: VisionTransformer, projector: nn.Module, gpt: GPT, skipped_blocks: int | None = None
    ) -> None:
        super().__init__()
        if skipped_blocks is not None and not 0 <= skipped_blocks <= encoder.config.layers:
            raise ValueError(f"the encoder has {encoder.config.layers} blocks; got skipped_blocks={skipped_blocks}")
        self.encoder, self.projector, self.gpt = encoder, projector, gpt
        self.skipped_blocks = skipped_blocks

    def features(self, pictures: Pictures) -> Float[Tensor, "batch patches features"]:
        """Return what the encoder says of each patch, row by row; the class token is left out."""
        if self.skipped_blocks is None:
            return self.encoder.patch_tokens(pictures)
        return self.encoder.before_norm(pictures, self.encoder.config.layers - self.skipped_blocks)[:, 1:]

    def vectors(self, pictures: Pictures) -> Float[Tensor, "batch patches d_model"]:
        """Return the vectors that the GPT gets to see, one a patch."""
        return self.projector(self.features(pictures))

    def behind(self, pictures: Pictures) -> CausalModel:
        """Return the GPT that sees these pictures, as a causal model of the text alone."""
        raise NotImplementedError

    def forward(self, pictures: Pictures, tokens: Tokens) -> Float[Tensor, "batch tokens vocab"]:
        """Return the logits of the token after each token of the text; padding has to be on the right."""
        return self.behind(pictures)(tokens)

    def write(
        self, pictures: Pictures, prompts: Sequence[Sequence[int]], *, max_new_tokens: int, end_token: int
    ) -> list[list[int]]:
        """Return the most probable next tokens behind each picture and its prompt, without the end token.

        Raises:
            ValueError: as `shared.generation.decoding.generate`.
        """
        with torch.inference_mode():
            behind = self.behind(pictures)
        return generate(behind, prompts, max_new_tokens=max_new_tokens, end_token=end_token, temperature=0)


class VisionLanguageModel(PictureReader):
    """A GPT that reads a picture's vectors before its text, one a patch, as LLaVA does.

    Arguments and errors as those of `PictureReader`.

    Raises:
        ValueError: the patches leave no room for a text in the GPT's context.
    """

    def __init__(
        self, encoder: VisionTransformer, projector: nn.Module, gpt: GPT, skipped_blocks: int | None = None
    ) -> None:
        refuse_if_too_long(gpt, encoder.config.patches)
        super().__init__(encoder, projector, gpt, skipped_blocks)

    def behind(self, pictures: Pictures) -> PrefixGPT:
        """Return the GPT that has these pictures before its text, as a causal model of the text alone."""
        return PrefixGPT(self.gpt, self.vectors(pictures))

    @torch.no_grad()
    def attention_to_patches(
        self, pictures: Pictures, tokens: Tokens
    ) -> Float[Tensor, "batch layers heads tokens patches"]:
        """Return how much each token of the text looks at each patch; what is missing to 1 goes to the words."""
        vectors = torch.cat([self.vectors(pictures), self.gpt.token_embedding(tokens)], dim=1)
        patches, places = self.encoder.config.patches, torch.arange(vectors.shape[1], device=vectors.device)
        x, looked = vectors + self.gpt.positions(places[None]), []
        for block in (cast(GPTBlock, block) for block in self.gpt.blocks):
            _, weights = block.attention.forward_with_weights(block.attention_norm(x), causal=True)
            looked.append(weights[:, :, patches:, :patches])
            x = block(x)
        return torch.stack(looked, dim=1)


def text_loss(model: nn.Module, batch: PictureTexts) -> tuple[Float[Tensor, ""], int]:
    """Return the summed loss of what is scored, in nats, and how many tokens that are, as `train_steps` wants them."""
    logits = model(batch.pictures, batch.tokens[:, :-1])
    return token_losses(logits, batch.tokens, batch.scored).sum(), count_targets(batch.tokens, batch.scored)


def with_captions(pictures: Pictures, captions: Sequence[Sequence[int]], end_token: int) -> PictureTexts:
    """Return a batch in which captions are scored, each between two end tokens, the second one with it."""
    tokens, real = pad_rows([[end_token, *caption, end_token] for caption in captions])
    assert real is not None
    return PictureTexts(pictures, tokens, real)


def with_answers(
    pictures: Pictures, questions: Sequence[Sequence[int]], answers: Sequence[Sequence[int]], end_token: int
) -> PictureTexts:
    """Return a batch in which answers alone are scored, and the end token behind each; questions are read."""
    pairs = list(zip(questions, answers, strict=True))
    tokens, real = pad_rows([[end_token, *question, *answer, end_token] for question, answer in pairs])
    assert real is not None
    asked = torch.tensor([1 + len(question) for question, _ in pairs])
    return PictureTexts(pictures, tokens, real & (torch.arange(tokens.shape[1]) >= asked[:, None]))
