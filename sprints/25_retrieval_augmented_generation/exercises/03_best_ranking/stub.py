"""The best ranking: likelihood, posterior, and what a ranking is worth.

Fill in the three functions. Then look how far you are, as often as you like:

    uv run sprints check 25.3
    uv run sprints hint 25.3

Numbers are float64 (`torch.double`). Theory: notes/03_a_pantry_of_facts.md
"""

from torch import Tensor


def log_likelihoods(words: list[str], passages: list[list[str]], synonyms: dict[str, list[str]], rate: float) -> Tensor:
    """Return log p(words | passage) for each passage, (passages,).

    Args:
        words: the content words of a question.
        passages: for each passage what it says in the place of each of these words.
        synonyms: of each word that stands in a passage.
        rate: with this probability a word of the question is a synonym, each of them equally often.
    """
    raise NotImplementedError


def posterior(log_likelihood: Tensor, prior: Tensor) -> Tensor:
    """Return p(passage | question), (passages,), from log p(question | passage) and p(passage).

    The log-likelihood may be minus infinity for some passages, and -2,000 for all the others.
    """
    raise NotImplementedError


def worth(scores: Tensor, probabilities: Tensor, k: int) -> Tensor:
    """Return the expected nDCG@k of a ranking by these scores, one number.

    Exactly one passage is right, and `probabilities` says which one it may be. Passages with equal scores stand in
    random order, each order with the same probability.
    """
    raise NotImplementedError
