"""Contrastive losses: which caption belongs to which picture? CLIP's (InfoNCE both ways) and SigLIP's.

Both take unit vectors in which row i of the pictures belongs to row i of the texts, and both learn how sharply cosine
similarities are told apart: a scale, kept as its logarithm, so that it stays above zero without being asked to.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

Vectors = Float[Tensor, "pairs features"]
Square = Float[Tensor, "pairs pairs"]
Number = Float[Tensor, ""]

MOST_SCALE = 100.0  # Radford et al. 2021, section 2.5: a larger one made training unstable


def info_nce(logits: Float[Tensor, "queries candidates"]) -> Number:
    """Return the mean of -log softmax(logits)[i, i] over the queries (van den Oord et al. 2018, equation 4).

    The candidate of query i stands in column i; there may be more candidates than queries, but not fewer.
    """
    return functional.cross_entropy(logits, torch.arange(len(logits), device=logits.device))


def clip_loss(pictures: Vectors, texts: Vectors, scale: Number | float | int) -> Number:
    """Return CLIP's loss: the mean of InfoNCE from pictures to texts and from texts to pictures.

    logits = scale * pictures texts^T, (pairs, pairs); one way is a softmax of each row, the other one of each column
    (Radford et al. 2021, figure 3).

    Args:
        pictures: unit vectors.
        texts: unit vectors; row i belongs to row i of the pictures.
        scale: the inverse temperature itself, not its logarithm.
    """
    logits = scale * pictures @ texts.mT
    return (info_nce(logits) + info_nce(logits.mT)) / 2


def siglip_loss(pictures: Vectors, texts: Vectors, scale: Number | float | int, bias: Number | float | int) -> Number:
    """Return SigLIP's loss: each of the pairs x pairs cells is a question of its own, "do these two belong together?".

    -sum_ij log sigmoid(y_ij (scale * similarity_ij + bias)) / pairs, where y is 1 on the diagonal and -1 elsewhere
    (Zhai et al. 2023, section 3.2). Arguments as for `clip_loss`; the bias makes "no" the first answer.
    """
    logits = scale * pictures @ texts.mT + bias
    belongs = 2 * torch.eye(len(logits), dtype=logits.dtype, device=logits.device) - 1
    return -functional.logsigmoid(belongs * logits).sum() / len(logits)


class ContrastiveLoss(nn.Module):
    """A contrastive loss with its learned scale: "clip", or "siglip" with a learned bias.

    Call `clamp` after each optimizer step: it keeps the scale at most 100, as CLIP's training does.

    Args:
        kind: "clip" or "siglip".
        scale: the scale at the start (default: 1 / 0.07 for CLIP, 10 for SigLIP).
        bias: the bias at the start; only SigLIP has one.

    Raises:
        ValueError: an unknown kind, or a scale that has no logarithm.
    """

    def __init__(self, kind: str = "clip", scale: float | None = None, bias: float = -10.0) -> None:
        super().__init__()
        if kind not in ("clip", "siglip"):
            raise ValueError(f"a contrastive loss is 'clip' or 'siglip'; got {kind!r}")
        if scale is not None and not 0 < scale <= MOST_SCALE:
            raise ValueError(f"the scale must be above 0 and at most {MOST_SCALE:g}; got {scale}")
        self.kind = kind
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale or (1 / 0.07 if kind == "clip" else 10.0))))
        self.bias = nn.Parameter(torch.tensor(bias)) if kind == "siglip" else None

    @property
    def scale(self) -> Number:
        """Return the inverse temperature."""
        return self.log_scale.exp()

    def forward(self, pictures: Vectors, texts: Vectors) -> Number:
        """Return the loss of a batch of pairs, in nats per pair; errors as in `check_pairs`."""
        check_pairs(pictures, texts)
        # In bfloat16 two similarities near 1 differ by 0.004 or not at all; a scale of 100 makes that 0.4 nats.
        with torch.autocast(pictures.device.type, enabled=False):
            pictures, texts = pictures.float(), texts.float()
            if self.bias is None:
                return clip_loss(pictures, texts, self.scale)
            return siglip_loss(pictures, texts, self.scale, self.bias)

    @torch.no_grad()
    def clamp(self) -> None:
        """Bring the scale back to 100 where a step has led beyond it.

        The parameter is moved, not what is computed from it: behind a `min` in `forward` its gradient would be zero
        for ever.
        """
        self.log_scale.clamp_(max=math.log(MOST_SCALE))


def check_pairs(pictures: Tensor, texts: Tensor) -> None:
    """Check that two towers give pairs of unit vectors.

    Raises:
        ValueError: other shapes, a single pair, or vectors of another length than 1.
    """
    if pictures.dim() != 2 or pictures.shape != texts.shape or len(pictures) < 2:
        raise ValueError(
            "a contrastive loss compares two or more pairs of vectors, (pairs, features) both; got pictures "
            f"{tuple(pictures.shape)} and texts {tuple(texts.shape)}"
        )
    for name, vectors in (("pictures", pictures), ("texts", texts)):
        longest = (vectors.detach().float().norm(dim=-1) - 1).abs().max().item()
        if not longest < 0.02:  # bfloat16 rounds a length of 1 to within 0.01
            raise ValueError(
                f"{name} must be unit vectors, or the scale means nothing; one differs from length 1 by {longest:.3g}: "
                "normalise them"
            )
