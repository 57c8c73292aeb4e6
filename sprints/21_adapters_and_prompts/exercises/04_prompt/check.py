"""Checks of what a prompt changes: vectors, mask, labels and positions, with padding on either side."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

LEFT = torch.tensor([[1, 1, 1], [0, 0, 1]])  # the second text is padded on the left


def check_vectors(learner: Any) -> None:
    """Two texts of two words of two features, behind a prompt of two vectors."""
    prompt, words = torch.tensor([[9.0, 8], [7, 6]]), torch.arange(8.0).view(2, 2, 2)
    before = prompt[None].repeat(2, 1, 1)
    mistakes = {
        "The prompt stands behind the text: causal words could never look at it.": torch.cat([words, before], dim=1),
        "Only one text has the prompt.": torch.cat([before[:1], words.reshape(1, 4, 2)], dim=1),
        "The prompt is added to the words; it must stand before them.": words + prompt,
    }
    expect(learner.put_before, {"prompt": prompt, "words": words}, torch.cat([before, words], dim=1), mistakes)


def check_mask(learner: Any) -> None:
    """A prompt of two before texts of which one is padded on the left."""
    mistakes = {
        "The new places are at the end of the mask: then the prompt is hidden and the padding is seen.": torch.cat(
            [LEFT, torch.ones(2, 2, dtype=torch.long)], dim=1
        ),
        "The prompt is hidden: its places need a 1.": torch.cat([torch.zeros(2, 2, dtype=torch.long), LEFT], dim=1),
    }
    expected = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 1]])
    expect(learner.longer_mask, {"mask": LEFT, "length": 2}, expected, mistakes)


def check_labels(learner: Any) -> None:
    """Labels of two texts, behind a prompt of two."""
    labels = torch.tensor([[5, 3, 4], [-100, -100, 6]])

    def before(label: int) -> Tensor:
        return torch.cat([torch.full((2, 2), label), labels], dim=1)

    mistakes = {
        "0 is a token: the loss would ask the model to say it at the places of the prompt.": before(0),
        "The new labels are at the end: every word is scored at the place of another one.": torch.cat(
            [labels, torch.full((2, 2), -100)], dim=1
        ),
        "The labels are as they were: they are shorter than the logits, and belong to other places.": labels,
    }
    expect(learner.longer_labels, {"labels": labels, "length": 2}, before(-100), mistakes)


def check_positions(learner: Any) -> None:
    """The same texts: one whole, one with two places of padding on the left."""
    real = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 1]])
    places = torch.arange(5).expand(2, -1)
    from_zero = torch.cat([torch.arange(2).expand(2, -1), LEFT.cumsum(dim=1) - LEFT], dim=1)
    mistakes = {
        "Positions count places: padding on the left pushes the text away from its prompt.": places,
        "The positions of the text begin at 0 again: it stands behind the prompt, and goes on from there.": from_zero,
        "Each position is one too large: what stands before a place does not include it.": real.cumsum(dim=1),
        "The places of the prompt are missing: the model reads them too.": LEFT.cumsum(dim=1) - LEFT + 2,
    }
    expect(learner.positions, {"mask": LEFT, "length": 2}, real.cumsum(dim=1) - real, mistakes)


def check_padding_on_the_right(learner: Any) -> None:
    """With padding on the right the real tokens have the positions of their places."""
    mask = torch.tensor([[1, 1, 0]])
    last_again = "Padding on the right repeats a position: three real places stand before it."
    mistakes = {last_again: torch.tensor([[0, 1, 2, 2]])}
    expect(learner.positions, {"mask": mask, "length": 1}, torch.tensor([[0, 1, 2, 3]]), mistakes)
