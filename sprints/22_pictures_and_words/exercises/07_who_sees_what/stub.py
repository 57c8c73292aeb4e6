"""Who sees what: a mask of picture and text, and whether it leaks.

Fill in `picture_mask` and `leaked`. Then look how far you are, as often as you like:

    uv run sprints check 22.7
    uv run sprints hint 22.7

The caption in the checks is that of note 10. Theory: notes/10_leaks_and_places.md
"""

from torch import Tensor


def picture_mask(patches: int, real: Tensor) -> Tensor:
    """Return which places each place may look at; patches stand before the text.

    Patches see all patches. A token sees all patches, itself and the tokens before it. Nobody sees padding, and what
    padding itself may look at follows the same rule.

    Args:
        patches: places of the picture; all of them are real.
        real: True where a token of the text is no padding, (batch, tokens)

    Returns:
        True where a row may look at a column, (batch, patches + tokens, patches + tokens)
    """
    raise NotImplementedError


def leaked(mask: Tensor, patches: int, layers: int) -> Tensor:
    """Return for each token of the text but the first whether the place before it, which predicts it, can know it.

    Args:
        mask: of one row, True where a place may look, the same in every layer, (places, places). On the residual path a
            place keeps what it knew, even where it may not look at itself.
        patches: places before the text.
        layers: how many of them the model has.

    Returns:
        True where a token has leaked, (tokens - 1)
    """
    raise NotImplementedError
