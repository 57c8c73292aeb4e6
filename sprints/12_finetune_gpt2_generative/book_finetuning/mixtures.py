"""Mixtures of models: what each gives the true token, and the weights of the mixture that lose least.

Theory: notes/10_getting_closer.md
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from shared.nn.gpt import GPT
from shared.text.batches import TextDataset
from shared.training.losses import token_losses

Probabilities = Float[np.ndarray, " targets"]


@torch.no_grad()
def target_probabilities(model: GPT, documents: Sequence[Sequence[int]], rows: int = 8) -> Probabilities:
    """Return what a model gives each token of the documents but the first of each, over blocks side by side."""
    model.eval()
    device, found = model.token_embedding.weight.device, []
    for batch in TextDataset(documents, model.config.context - 1).batches(rows):
        tokens, mask = batch.tokens.to(device), batch.mask
        losses = token_losses(model(tokens[:, :-1]), tokens)  # (rows, targets)
        real = torch.ones_like(tokens, dtype=torch.bool) if mask is None else mask.to(device)
        found.append(losses[real[:, 1:]])
    return torch.cat(found).neg().exp().double().cpu().numpy()


def cache_probabilities(documents: Sequence[Sequence[int]], vocab_size: int) -> Probabilities:
    """Return what a cache gives each token but the first: how often it stands among those before it in its document.

    One use of every token is added in all, spread evenly, so that nothing has probability 0.
    """
    found = []
    for document in documents:
        seen: Counter[int] = Counter(document[:1])
        for place, token in enumerate(document[1:], start=1):
            found.append((seen[token] + 1 / vocab_size) / (place + 1))
            seen[token] += 1
    return np.array(found)


def best_weights(parts: Float[np.ndarray, "models targets"], rounds: int = 200) -> Float[np.ndarray, " models"]:
    """Return the weights, positive and of sum 1, with which the mixture of models loses least.

    Expectation and maximisation (Jelinek & Mercer 1980): each token is shared out among the models by how much each
    contributed to its probability, and a model's new weight is its share of all tokens. The loss never rises.
    """
    weights = np.full(len(parts), 1 / len(parts))
    for _ in range(rounds):
        contributed = weights[:, None] * parts
        weights = (contributed / contributed.sum(axis=0)).mean(axis=1)
    return weights


def mixture_loss(weights: Float[np.ndarray, " models"], parts: Float[np.ndarray, "models targets"]) -> float:
    """Return the loss of a mixture in nats per token: -ln of the weighted mean of the probabilities, averaged."""
    return float(-np.log(weights @ parts).mean())
