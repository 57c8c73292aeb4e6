"""Latent attention without keys and values.

Fill in `latent_attend`. Then look how far you are, as often as you like:

    uv run sprints check 19.8
    uv run sprints hint 19.8

The two words in the checks are those of note 12, small enough to follow on paper.
"""

from torch import Tensor


def latent_attend(
    plain: Tensor, turned: Tensor, latents: Tensor, shared: Tensor, up_key: Tensor, up_value: Tensor
) -> Tensor:
    """Return what each head gathers, computed in the absorbed way: no key and no value of a head is made.

    The key of a head is its matrix times the latent, with the shared key behind it; a value is another matrix times the
    latent. Scores are divided by the root of the length of such a key. Every query may look at every token.

    Args:
        plain: the part of each query without a position, (heads, queries, head_dim)
        turned: the part that was turned by its position, (heads, queries, rotary_dim)
        latents: kept of each token, (keys, latent)
        shared: the key of each token that was turned by its position, the same for all heads, (keys, rotary_dim)
        up_key: makes the rest of a key of a latent, (heads, head_dim, latent)
        up_value: makes a value of a latent, (heads, value_dim, latent)

    Returns:
        (heads, queries, value_dim)
    """
    raise NotImplementedError
