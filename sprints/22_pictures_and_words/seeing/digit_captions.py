"""scikit-learn's digits with captions: the smallest real pictures that words can be put to, offline.

    caption(7, template=0)  # "a handwritten seven"

A classifier has ten outputs. Two towers have none: whoever asks them writes ten captions, and the picture goes to the
nearest. The prompt is a sentence that no training picture had.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from seeing.name_tokens import NameTokens

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEMPLATES = ("a handwritten {}", "the digit {}", "somebody wrote the {}", "{}")
PROMPT = "the handwritten digit {}"  # its words are known, the sentence is not


def caption(digit: int, template: int) -> str:
    """Return a training caption of a digit.

    Raises:
        ValueError: no digit, or no template of that number.
    """
    if not 0 <= digit < len(NUMBERS) or not 0 <= template < len(TEMPLATES):
        raise ValueError(
            f"a caption is of a digit from 0 to 9 by one of {len(TEMPLATES)} templates; got {digit} and {template}"
        )
    return TEMPLATES[template].format(NUMBERS[digit])


def prompts() -> list[str]:
    """Return one prompt for each digit, in order."""
    return [PROMPT.format(number) for number in NUMBERS]


def caption_tokens() -> NameTokens:
    """Return the token ids of the words that captions have; the prompts' are among them."""
    return NameTokens([caption(digit, template) for digit in range(10) for template in range(len(TEMPLATES))])


def as_input(images: Float32[Tensor, "images 1 height width"]) -> Float32[Tensor, "images 1 height width"]:
    """Return images from 0 to 1 as a tower takes them, from -1 (paper) to 1 (ink)."""
    return 2 * images - 1


def groups(
    labels: Int64[Tensor, " images"], count: int, steps: int, generator: torch.Generator, *, different: bool
) -> Iterator[tuple[Int64[Tensor, "groups ten"], list[str]]]:
    """Give for each step the rows of `count` groups of ten images, and a caption for each of them, row by row.

    Args:
        labels: of the images.
        count: groups in a step.
        steps: how often.
        generator: draws images and templates.
        different: each group has one image of each digit; without it a group is any ten images, and the captions of
            two of them may be the same.
    """
    of_digit = [(labels == digit).nonzero()[:, 0] for digit in range(10)]
    for _ in range(steps):
        if different:
            drawn = [rows[torch.randint(len(rows), (count,), generator=generator)] for rows in of_digit]
            rows = torch.stack(drawn, dim=1)  # (groups, ten)
        else:
            rows = torch.randint(len(labels), (count, 10), generator=generator)
        templates = torch.randint(len(TEMPLATES), rows.shape, generator=generator).flatten().tolist()
        digits = labels[rows].flatten().tolist()
        yield rows, [caption(*pair) for pair in zip(digits, templates, strict=True)]
