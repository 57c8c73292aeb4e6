"""A decoder with layer norms as one with RMSNorms, in other weights (Jiang et al. 2023, Pre-RMSNorm).

Layer norm subtracts the mean of a token's features and then does what RMSNorm does. All that reads the residual stream
is such a norm, so nobody sees the mean: it may as well never be written. The stream is a sum of rows of embeddings and
of outputs of matrices; subtracting the mean is linear, so it can be done to these rows and matrices once and for all.
"""

from dataclasses import replace

import torch

from shared.nn.decoder import Decoder

TABLES = ("token_embedding", "positions")  # their rows are added to the stream
WRITERS = ("attention.output.weight", "feed_forward.contract.weight")  # their outputs are


@torch.no_grad()
def as_rms_norm(decoder: Decoder, *, centre: bool = True) -> Decoder:
    """Return a decoder with RMSNorms that gives the same logits.

    Args:
        decoder: has layer norms before its parts, and no biases.
        centre: subtract from whatever is written to the stream its mean (False: to see that it is needed).

    Raises:
        ValueError: another kind of decoder.
    """
    config = decoder.config
    if (config.norm, config.placement, config.bias) != ("layer", "before", False):
        raise ValueError(
            "only layer norms before the parts, in a model without biases, can be RMSNorms in other weights; got "
            f"norm={config.norm!r}, placement={config.placement!r}, bias={config.bias}"
        )
    # The head reads and does not write, so it stays as it is, and is no longer the embedding.
    other = Decoder(replace(config, norm="rms", tie_weights=False)).to(decoder.output_weight.dtype)
    theirs = {name.replace("norm.weight", "norm.gain"): weight for name, weight in decoder.state_dict().items()}
    other.load_state_dict(theirs | {"head.weight": decoder.output_weight})
    for name, weight in other.named_parameters() if centre else ():
        if name.startswith(TABLES):
            weight -= weight.mean(dim=1, keepdim=True)  # (rows, features of the stream)
        elif name.endswith(WRITERS):
            weight -= weight.mean(dim=0, keepdim=True)  # (features of the stream, inputs)
    return other
