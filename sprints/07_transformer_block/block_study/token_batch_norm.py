"""Batch normalisation for sequences, for batch_norm.py and what_norms_ignore.py."""

from torch import Tensor, nn


class TokenBatchNorm(nn.BatchNorm1d):
    """Batch normalisation of each feature over all tokens of a batch; in evaluation by running averages."""

    def forward(self, input: Tensor) -> Tensor:  # (batch, tokens, d_model), twice
        """Return the normalised features."""
        return super().forward(input.flatten(0, 1)).view_as(input)
