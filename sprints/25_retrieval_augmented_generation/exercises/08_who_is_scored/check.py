"""Checks of who is scored: three functions on small batches, with the usual mistakes by name."""

from typing import Any

import torch

from shared.lab.checking import expect


def check_loss(learner: Any) -> None:
    """Two rows with answers of different lengths, one of them in two parts."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 7, 5, generator=generator, dtype=torch.double)
    tokens = torch.tensor([[0, 1, 2, 3, 4, 1, 2], [0, 3, 3, 1, 2, 4, 0]])
    answers = torch.tensor([[0, 0, 0, 1, 1, 0, 1], [0, 0, 0, 0, 1, 0, 0]], dtype=torch.bool)
    logs = logits.log_softmax(dim=-1)
    losses = -logs[:, :-1].gather(-1, tokens[:, 1:, None])[..., 0]
    at = -logs.gather(-1, tokens[:, :, None])[..., 0]
    chosen = answers[:, 1:]
    rows = torch.stack([row[mask].mean() for row, mask in zip(losses, chosen, strict=True)])
    mistakes = {
        "Logits and token stand at the same position: a causal model speaks about the token after it.": at[
            answers
        ].mean(),
        "The mask is one position off: it belongs to the tokens, so cut it where you cut them.": losses[
            answers[:, :-1]
        ].mean(),
        "Passages and questions are scored too: choose the answers by the mask.": losses.mean(),
        "It is a mean of the rows' means: every token of an answer has the same weight.": rows.mean(),
        "It is divided by all tokens: divide by those of the answers.": (losses * chosen).mean(),
        "This is the sum: return the mean.": losses[chosen].sum(),
        "The sign: a loss is -log p.": -losses[chosen].mean(),
    }
    given = {"logits": logits, "tokens": tokens, "answers": answers}
    expect(learner.answer_loss, given, losses[chosen].mean(), mistakes, 1e-9)


def check_citations(learner: Any) -> None:
    """Silence that is right, silence that is wrong, and citations of both kinds."""
    cited, right = torch.tensor([2, 1, 0, 0, 3, 1, 2, 0]), torch.tensor([2, 3, 0, 1, 3, 0, 2, 0])
    both, some, there = torch.tensor(3.0), torch.tensor(5.0), torch.tensor(5.0)
    cited_more = torch.tensor([2, 1, 0, 0, 3, 1, 2, 2])
    for said, citations in ((cited, some), (cited_more, torch.tensor(6.0))):
        equal = (said == right).sum()
        mistakes = {
            "Silence where nothing is there counts as a right citation: it cites nothing.": torch.stack(
                [equal / citations, equal / there]
            ),
            "They are divided by all questions: by the citations, and by the passages that are there.": torch.stack(
                [both / len(said), both / len(said)]
            ),
            "The two shares are exchanged.": torch.stack([both / there, both / citations]),
            "Which passage it is has to be right: it is not enough that one is cited where one is there.": torch.stack(
                [((said > 0) & (right > 0)).sum() / citations, ((said > 0) & (right > 0)).sum() / there]
            ),
        }
        expected = torch.stack([both / citations, both / there])
        expect(learner.citation_scores, {"cited": said, "right": right}, expected, mistakes, 1e-6)


def check_belief(learner: Any) -> None:
    """Two passages that give the same answer, one that gives another, and silence."""
    citations = torch.tensor([0.4, 0.3, 0.2], dtype=torch.double)  # silence has the remaining 0.1
    words = torch.tensor([[0.1, 0.9, 0.0], [0.9, 0.1, 0.0], [0.8, 0.0, 0.2]], dtype=torch.double)
    mistakes = {
        "These are the words behind the most probable citation alone: the answer may come by way of each.": (
            citations.max() * words[citations.argmax()]
        ),
        "Every citation counts the same here: weigh each with its probability.": words.mean(dim=0),
        "The citations are made to add up to 1: what is missing to 1 is silence, and no word.": (
            citations / citations.sum() @ words
        ),
        "It is the best way to each word: ways that exclude each other add up.": (citations[:, None] * words).amax(
            dim=0
        ),
    }
    expect(learner.belief_in_words, {"citations": citations, "words": words}, citations @ words, mistakes, 1e-9)
