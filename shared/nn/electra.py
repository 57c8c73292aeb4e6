"""ELECTRA (Clark et al. 2020): instead of filling holes, say of every token whether it was replaced.

A small masked language model, the generator, fills the holes with samples; the detector, whom the paper calls the
discriminator, looks at all tokens. The detector is what transformers calls ElectraForPreTraining, weight for weight;
the generator, ElectraForMaskedLM, is a `shared.nn.bert.MaskedLanguageModel`.
"""

from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.bert import Bert, BertConfig, draw_weights
from shared.nn.bert_weights import ELECTRA_PARTS, as_ours, our_bert_fields

if TYPE_CHECKING:  # transformers takes seconds to import and only the conversion needs it
    from transformers import ElectraForPreTraining

Tokens = Int[Tensor, "batch tokens"]
Places = Bool[Tensor, "batch tokens"]


class DetectionHead(nn.Module):
    """One number for each token: a layer with GELU, then one output."""

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.dense = nn.Linear(d_model, d_model)
        self.score = nn.Linear(d_model, 1)

    def forward(self, x: Float[Tensor, "batch tokens d_model"]) -> Float[Tensor, "batch tokens"]:
        """Return the logit of each token."""
        return self.score(functional.gelu(self.dense(x))).squeeze(-1)


class ReplacedTokenDetector(nn.Module):
    """An encoder that says of each token whether another stood there. Arguments as those of `Bert`."""

    def __init__(self, config: BertConfig, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.config = config
        self.bert = Bert(config, generator)
        self.detector = DetectionHead(config.d_model)
        draw_weights(self.detector, generator)

    def forward(
        self, tokens: Tokens, mask: Places | None = None, segments: Tokens | None = None
    ) -> Float[Tensor, "batch tokens"]:
        """Return the logit that each token was replaced; arguments as those of `Bert.forward`."""
        return self.detector(self.bert(tokens, mask, segments))

    @classmethod
    def from_transformers(cls, model: "ElectraForPreTraining") -> "ReplacedTokenDetector":
        """Return the same model, in evaluation mode; ValueError for another kind of model."""
        ours = cls(BertConfig(**our_bert_fields(model.config, "electra")))
        ours.load_state_dict(as_ours(ours.state_dict(), model.state_dict(), ELECTRA_PARTS))
        return ours.eval()


@torch.no_grad()
def replace_tokens(
    tokens: Tokens, chosen: Places, logits: Float[Tensor, "batch tokens vocab"], generator: torch.Generator
) -> tuple[Tokens, Places]:
    """Return the text with samples of the generator in its holes, and where another token stands now.

    A sample that happens to be the old token counts as not replaced (Clark et al. 2020, section 2). Sampling passes no
    gradient on: the generator learns from its own masked loss.

    Args:
        tokens: the text before there were holes.
        chosen: the holes.
        logits: of the generator, for the text with its holes.
        generator: draws.
    """
    samples = torch.multinomial(logits.softmax(dim=-1).flatten(0, 1), 1, generator=generator).view_as(tokens)
    corrupted = samples.where(chosen, tokens)
    return corrupted, corrupted != tokens


def detection_loss(
    logits: Float[Tensor, "batch tokens"], replaced: Places, real: Places | None = None
) -> Float[Tensor, ""]:
    """Return the mean cross-entropy over all real tokens, holes or not, in nats per token.

    Raises:
        ValueError: no token is real.
    """
    real = torch.ones_like(replaced) if real is None else real
    if not real.any():
        raise ValueError(f"a loss needs a real token; none of {real.numel()} is: is the mask inverted?")
    return functional.binary_cross_entropy_with_logits(logits[real], replaced[real].float())
