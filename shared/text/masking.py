"""Holes for a masked language model to fill (Devlin et al. 2019, section 3.1 and appendix A.1).

Two steps: choose the places that will be scored, then hide what stands there. Both are drawn anew each time a text is
read. Places are boolean masks, True where a token is chosen, where it may be chosen (`eligible`: neither padding nor
special), or where it begins a word.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Int
from torch import Tensor

Tokens = Int[Tensor, "batch tokens"]
Places = Bool[Tensor, "batch tokens"]
# Given the eligible places, the share and a generator, returns the chosen ones.
Choose = Callable[[Places, float, torch.Generator], Places]


def check_choice(eligible: Places, share: float) -> None:
    """Check what a choice is made from.

    Raises:
        ValueError: a share outside (0, 1], or no token that may be chosen.
    """
    if not 0 < share <= 1:
        raise ValueError(f"the share of masked tokens must be above 0 and at most 1; got {share}")
    if not eligible.any():
        raise ValueError(
            "there must be a token that may be masked; all are special or padding: "
            "is `eligible` inverted? True means that a token may be masked"
        )


def choose_tokens(eligible: Places, share: float, generator: torch.Generator) -> Places:
    """Return places drawn one by one, each eligible one with the probability `share`; errors as in `check_choice`."""
    check_choice(eligible, share)
    return (torch.rand(eligible.shape, generator=generator) < share) & eligible


def choose_words(eligible: Places, share: float, generator: torch.Generator, starts: Places) -> Places:
    """Return the places of whole words, each word drawn with the probability `share`; errors as in `check_choice`.

    Args:
        eligible, share, generator: as in `choose_tokens`.
        starts: True where a token begins a word; the tokens after it belong to the same word.
    """
    check_choice(eligible, share)
    words = starts.cumsum(dim=1)  # (batch, tokens): the number of each token's word
    return (torch.rand(len(words), words.shape[1] + 1, generator=generator) < share).gather(1, words) & eligible


def choose_spans(
    eligible: Places, share: float, generator: torch.Generator, stop: float = 0.2, longest: int = 10
) -> Places:
    """Return spans of neighbours until `share` of a row's eligible tokens is chosen (Joshi et al. 2020, section 3.1).

    The length of a span is geometric, p(length) ~ (1 - stop)^length up to `longest`: with the defaults 3.8 in the mean,
    before it is cut at a token that is not eligible or chosen already, and where the share is reached. Each row with an
    eligible token gets one chosen token at least.

    Raises:
        ValueError: as in `check_choice`, or a `stop` outside (0, 1), or a `longest` below 1.
    """
    check_choice(eligible, share)
    if not (0 < stop < 1 and longest >= 1):
        raise ValueError(f"stop must be between 0 and 1 and longest at least 1; got {stop} and {longest}")
    order = torch.rand(eligible.shape, generator=generator).argsort(dim=1).tolist()
    # -log of a uniform number is exponential; rounded up, geometric. Numbers that would give too long a span are cut.
    uniform = 1 - torch.rand(eligible.shape, generator=generator) * (1 - (1 - stop) ** longest)
    lengths = (uniform.log() / math.log(1 - stop)).ceil().clamp(1, longest).long().tolist()
    chosen = torch.zeros_like(eligible)
    for row, free in enumerate(eligible.tolist()):
        wanted = max(1, round(share * sum(free))) if any(free) else 0
        taken: list[int] = []
        for start in order[row]:
            place = start
            while len(taken) < wanted and place < min(start + lengths[row][start], len(free)) and free[place]:
                taken.append(place)
                free[place] = False
                place += 1
        chosen[row, taken] = True
    return chosen


def hide(
    tokens: Tokens,
    chosen: Places,
    mask_token: int,
    vocab_size: int,
    generator: torch.Generator,
    masked: float = 0.8,
    random: float = 0.1,
) -> Tokens:
    """Return what the model reads: at the chosen places mostly the mask token, sometimes a random token or the same.

    Args:
        tokens: the text.
        chosen: the places that will be scored.
        mask_token: stands for "something was here".
        vocab_size: random tokens are drawn from 0 to vocab_size - 1.
        generator: draws.
        masked: probability with which a chosen token becomes the mask token.
        random: probability with which it becomes a random token; with what is left it stays.

    Raises:
        ValueError: probabilities below 0, or above 1 together.
    """
    if masked < 0 or random < 0 or masked + random > 1:
        raise ValueError(f"masked and random must be at least 0 and at most 1 together; got {masked} and {random}")
    fate = torch.rand(tokens.shape, generator=generator)
    words = torch.randint(vocab_size, tokens.shape, generator=generator)
    inputs = tokens.masked_fill(chosen & (fate < masked), mask_token)
    return torch.where(chosen & (fate >= masked) & (fate < masked + random), words, inputs)


def mask_tokens(
    tokens: Tokens,
    eligible: Places,
    mask_token: int,
    vocab_size: int,
    generator: torch.Generator,
    share: float = 0.15,
    *,
    masked: float = 0.8,
    random: float = 0.1,
    choose: Choose = choose_tokens,
) -> tuple[Tokens, Places]:
    """Return what the model reads and the places that are scored: `choose`, then `hide`; errors as theirs.

    The defaults are those of transformers' `DataCollatorForLanguageModeling`. Of few tokens it can be that none is
    chosen.
    """
    chosen = choose(eligible, share, generator)
    return hide(tokens, chosen, mask_token, vocab_size, generator, masked, random), chosen
