"""CLIP's loss and SigLIP's, on vectors of any length.

Fill in `clip` and `siglip`. Then look how far you are:

    uv run sprints check 22.4
    uv run sprints hint 22.4

The example of the checks is that of note 4 of this sprint.
"""

from torch import Tensor


def clip(pictures: Tensor, texts: Tensor, log_scale: Tensor) -> Tensor:
    """Return the mean of InfoNCE from pictures to texts and from texts to pictures.

    Args:
        pictures: (pairs, features), not normalised yet
        texts: (pairs, features), not normalised yet; row i belongs to row i of the pictures
        log_scale: the logarithm of what cosine similarities are multiplied by, ()

    Returns:
        the loss in nats per pair, ()
    """
    raise NotImplementedError


def siglip(pictures: Tensor, texts: Tensor, log_scale: Tensor, bias: Tensor) -> Tensor:
    """Return -log sigmoid(+-logit), + on the diagonal and - elsewhere, summed over all cells, divided by the pairs.

    Args:
        pictures, texts, log_scale: as in `clip`
        bias: what is added to scaled similarities, ()

    Returns:
        the loss in nats per pair, ()
    """
    raise NotImplementedError
