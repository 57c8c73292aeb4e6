"""Attention and nothing else: layers that add to the residual path, without feed-forward networks and norms."""

import torch
from torch import Tensor, nn

from shared.nn.attention import attend, merge_heads, split_heads
from shared.nn.masks import causal_mask


class PointingAttention(nn.Module):
    """Causal attention in which positions say where to look but are not passed on.

    They are added to what queries and keys are made of and not to the values, as in Elhage et al. (2021) and Press et
    al. (2021). Otherwise layers may copy by counting places, and need no induction head.
    """

    def __init__(self, d_model: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_key = nn.Linear(d_model, 2 * d_model)
        self.value = nn.Linear(d_model, d_model)
        self.output = nn.Linear(d_model, d_model)

    def forward(self, x: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Return what to add, (batch, tokens, d_model), and the weights (batch, heads, queries, keys)."""
        query, key = (split_heads(part, self.heads) for part in self.query_key(x + positions).chunk(2, dim=-1))
        value = split_heads(self.value(x), self.heads)  # (batch, heads, tokens, head_dim)
        mixed, weights = attend(query, key, value, causal_mask(x.shape[1], device=x.device))
        return self.output(merge_heads(mixed)), weights


class AttentionOnly(nn.Module):
    """An embedding, attention layers that add to the residual path, and a readout.

    Args:
        vocab: distinct tokens.
        tokens: the most tokens of a row.
        d_model: features of a token.
        heads: heads of a layer.
        layers: attention layers.
        move_positions: add positions to the tokens, so that layers may pass them on.
    """

    def __init__(
        self, vocab: int, tokens: int, d_model: int, heads: int, layers: int, move_positions: bool = False
    ) -> None:
        super().__init__()
        self.move_positions = move_positions
        self.token_embedding = nn.Embedding(vocab, d_model)
        self.positions = nn.Embedding(tokens, d_model)
        self.layers = nn.ModuleList(PointingAttention(d_model, heads) for _ in range(layers))
        self.readout = nn.Linear(d_model, vocab)

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (batch, tokens, vocab) and attention maps (layers, batch, heads, queries, keys)."""
        x, positions, maps = self.token_embedding(tokens), self.positions.weight[: tokens.shape[1]], []
        if self.move_positions:
            x, positions = x + positions, torch.zeros_like(positions)
        for layer in self.layers:
            added, weights = layer(x, positions)
            x = x + added
            maps.append(weights)
        return self.readout(x), torch.stack(maps)

    @torch.no_grad()
    def silence(self, layer: int, head: int) -> None:
        """Let a head write nothing: its columns of the output matrix become zero."""
        attention = self.layers.get_submodule(str(layer))
        assert isinstance(attention, PointingAttention)
        attention.output.weight.unflatten(1, (attention.heads, -1))[:, head] = 0.0
