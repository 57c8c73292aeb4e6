"""Words that pre-training never showed: a tokenizer may know them, but their vectors mean nothing.

The gradient of the softmax pushes the output vectors of all tokens that are never the target the same way, again and
again, until they are all but one (Land & Bartolo 2024, "Fishing for Magikarp"). With tied weights, these are also what
the model reads.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional


def unseen_tokens(embedding: Float[Tensor, "vocab d_model"], cosine: float = 0.99) -> Int[Tensor, " unseen"]:
    """Return the tokens whose vector is all but parallel to another one's: this close is no word that was ever read.

    Args:
        embedding: a vector for each token.
        cosine: how close the nearest other vector is at least.
    """
    unit = functional.normalize(embedding.detach(), dim=1)
    nearest = []
    for start in range(0, len(unit), 1024):  # the whole matrix would be 10 GB for GPT-2
        similar = unit[start : start + 1024] @ unit.mT  # (1024, vocab)
        similar.diagonal(start).fill_(-1)
        nearest.append(similar.amax(dim=1))
    return (torch.cat(nearest) > cosine).nonzero()[:, 0]


@torch.no_grad()
def renew(
    embedding: Float[Tensor, "vocab d_model"],
    tokens: Int[Tensor, " tokens"],
    generator: torch.Generator,
    spread: float = 0.3,
) -> None:
    """Give tokens new vectors in place, around the mean of the others.

    From the mean, no new word starts out far more or far less likely than the old ones (Hewitt 2021).

    Args:
        embedding: a vector for each token.
        tokens: those that get a new one.
        generator: draws on the CPU.
        spread: standard deviation around the mean, in those of the other vectors.
    """
    old = torch.ones(len(embedding), dtype=torch.bool, device=embedding.device).index_fill_(0, tokens, False)
    noise = torch.randn(len(tokens), embedding.shape[1], generator=generator).to(embedding.device)
    embedding[tokens] = embedding[old].mean(dim=0) + spread * embedding[old].std(dim=0) * noise
