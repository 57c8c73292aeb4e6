"""The last place of a real token, found by its number."""

import torch
from torch import Tensor


def last_features(features: Tensor, mask: Tensor) -> Tensor:
    """Return the features of the last real token of each text, whichever side the padding is on."""
    places = torch.arange(mask.shape[1])
    last = (places * mask).argmax(dim=1)  # (batch,): padding counts as place 0
    return features[torch.arange(len(features)), last]  # (batch, d_model)
