"""Who is scored: the loss of answers alone, citations that count, and the belief in an answer.

Fill in the three functions. Then look how far you are, as often as you like:

    uv run sprints check 25.8
    uv run sprints hint 25.8

Theory: notes/15_a_reader_that_was_trained.md
"""

from torch import Tensor


def answer_loss(logits: Tensor, tokens: Tensor, answers: Tensor) -> Tensor:
    """Return the mean loss of the answers' tokens in a batch, in nats, one number.

    Args:
        logits: what a causal model says about the token *after* each token, (rows, tokens, vocab).
        tokens: the ids it reads, (rows, tokens); nothing is shifted.
        answers: True where a token belongs to an answer, (rows, tokens); the first token of a row never does.
    """
    raise NotImplementedError


def citation_scores(cited: Tensor, right: Tensor) -> Tensor:
    """Return two shares, (2,): of the citations those that are right, and of the passages that are there those cited.

    Args:
        cited: which passage each answer cites, counted from 1; 0 where it cites nothing, (questions,).
        right: which passage states the fact of the question; 0 where none does, (questions,).
    """
    raise NotImplementedError


def belief_in_words(citations: Tensor, words: Tensor) -> Tensor:
    """Return the probability that each word is the answer, whatever passage is cited, (vocab,).

    Args:
        citations: the probability of each citation, (passages,); what is missing to 1 is *I do not know*.
        words: the probability of each word behind each citation, (passages, vocab).
    """
    raise NotImplementedError
