"""Places behind k pay as well."""

import torch
from torch import Tensor


def log_likelihoods(words: list[str], passages: list[list[str]], synonyms: dict[str, list[str]], rate: float) -> Tensor:
    """Return log p(words | passage) of each passage, minus infinity where a word cannot be said."""
    found = []
    for meanings in passages:
        probabilities = [
            1 - rate if word == meaning else rate * synonyms[meaning].count(word) / len(synonyms[meaning])
            for word, meaning in zip(words, meanings, strict=True)
        ]
        found.append(torch.tensor(probabilities, dtype=torch.double).log().sum())
    return torch.stack(found)


def posterior(log_likelihood: Tensor, prior: Tensor) -> Tensor:
    """Return p(passage | question): a softmax of log-likelihood and log prior, which never overflows."""
    return (log_likelihood + prior.log()).softmax(dim=0)


def worth(scores: Tensor, probabilities: Tensor, k: int) -> Tensor:
    """Return the expected nDCG@k: passages with equal scores get the mean of what their places pay."""
    places = torch.arange(1, len(scores) + 1)
    pays = (1 / torch.log2(places + 1.0)).double()
    before = (scores[None] > scores[:, None]).sum(dim=1)  # passages that stand before each
    equal = (scores[None] == scores[:, None]).sum(dim=1)  # passages with its score, itself among them
    sums = torch.cat([torch.zeros(1, dtype=torch.double), pays.cumsum(0)])
    return (probabilities * (sums[before + equal] - sums[before]) / equal).sum()
