"""A picture in the places of a text.

Fill in `project`, `put_into` and `positions`. Then look how far you are, as often as you like:

    uv run sprints check 22.6
    uv run sprints hint 22.6

The two patches in the checks are those of note 7. Theory: notes/07_pictures_before_words.md
"""

from torch import Tensor


def project(features: Tensor, first: Tensor, first_bias: Tensor, second: Tensor, second_bias: Tensor) -> Tensor:
    """Return what a projector of two layers with exact GELU makes of each patch.

    Args:
        features: what the encoder says, (batch, patches, features)
        first: (hidden, features), as `nn.Linear` stores a weight
        first_bias: (hidden)
        second: (d_model, hidden)
        second_bias: (d_model)

    Returns:
        (batch, patches, d_model)
    """
    raise NotImplementedError


def put_into(words: Tensor, tokens: Tensor, vectors: Tensor, picture_token: int) -> Tensor:
    """Return word vectors in which the places of a picture hold its vectors instead, as LLaVA does it.

    Each row of tokens has as many picture tokens as there are patches, anywhere in the row. They are filled in order.

    Args:
        words: the vectors of all tokens, those of the picture tokens too, (batch, places, d_model)
        tokens: (batch, places)
        vectors: of each row's picture, (batch, patches, d_model)
        picture_token: marks the places of a picture.

    Returns:
        (batch, places, d_model)
    """
    raise NotImplementedError


def positions(mask: Tensor) -> Tensor:
    """Return the position of each place: how many real places stand before it in its row.

    Args:
        mask: True where a place is real, a patch or a token, and False where it is padding, (batch, places)

    Returns:
        whole numbers, (batch, places)
    """
    raise NotImplementedError
