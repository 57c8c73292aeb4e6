"""Batch normalisation for sequences, for batch_norm.py and what_norms_ignore.py."""

from torch import Tensor, nn


class TokenBatchNorm(nn.BatchNorm1d):
    """Batch normalisation of each feature over all tokens of a batch; in evaluation by running averages."""

    def forward(self, input: Tensor) -> Tensor:  # (batch, tokens, d_model), twice
        """Return the normalised features.

        Raises:
            ValueError: a single token, whose variance is 0, in training mode.
        """
        if self.training and input[..., 0].numel() < 2:
            raise ValueError(
                "a batch of a single token has no variance to divide by: give another --batch-size or --context"
            )
        return super().forward(input.flatten(0, 1)).view_as(input)
