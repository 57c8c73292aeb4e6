"""Stacks of blocks with and without residual connections, and a small task: predict the first token of the row."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.blocks import EncoderBlock
from shared.nn.cache import KeyValueCache
from shared.nn.positions import SinusoidalPositions

KINDS = ("pre", "post", "no norm", "no addition", "neither")


class BlockWithoutAddition(EncoderBlock):
    """What is left of a pre-norm block when x is not added to what its parts make of it."""

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        causal: bool = False,
        cache: KeyValueCache | None = None,
    ) -> Tensor:
        """Return the output of the last part alone, (batch, tokens, d_model)."""
        x = self.attention(self.attention_norm(x), mask=mask, causal=causal, cache=cache)
        return self.feed_forward(self.feed_forward_norm(x))


def make_block(kind: str, d_model: int, heads: int) -> EncoderBlock:
    """Return an encoder block, perhaps without the additions or the norms around its parts.

    Raises:
        ValueError: an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}")
    block_class = BlockWithoutAddition if kind in ("no addition", "neither") else EncoderBlock
    block = block_class(d_model, heads, norm="post" if kind == "post" else "pre")
    if kind in ("no norm", "neither"):
        block.add_module("attention_norm", nn.Identity())
        block.add_module("feed_forward_norm", nn.Identity())
    return block


class Stack(nn.Module):
    """Blocks on top of each other; a stack that normalises before its parts ends with a norm, as in GPT-2.

    Matrices are drawn as in nn.Transformer and in Xiong et al. (2020): Xavier's uniform distribution; biases are zero.
    """

    def __init__(self, kind: str, layers: int, d_model: int, heads: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(make_block(kind, d_model, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(d_model) if kind in ("pre", "no addition") else nn.Identity()
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                nn.init.xavier_uniform_(parameter)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def states(self, x: Tensor) -> list[Tensor]:
        """Return what enters the first block, what leaves each block, and the normalised end, all of x's shape."""
        states = [x]
        for block in self.blocks:
            states.append(block(states[-1]))
        return [*states, self.norm(states[-1])]

    def forward(self, x: Tensor) -> Tensor:
        """Return the tokens after all blocks, (batch, tokens, d_model)."""
        return self.states(x)[-1]


class PredictTheFirst(nn.Module):
    """A stack between an embedding and a head that predicts, at each place, the first token of the row."""

    def __init__(self, kind: str, layers: int, *, vocab: int, tokens: int, d_model: int, heads: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab, d_model)
        self.positions = SinusoidalPositions(tokens, d_model)
        self.stack = Stack(kind, layers, d_model, heads)
        self.head = nn.Linear(d_model, vocab)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the scores (batch, tokens, vocab) of the first token of the row."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        return self.head(self.stack(self.embedding(tokens) + self.positions(places)))


def random_rows(vocab: int, batch_size: int, tokens: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield batches of uniformly random tokens without end: no token says anything about another one."""
    while True:
        yield torch.randint(vocab, (batch_size, tokens), generator=generator)


def first_token_loss(model: nn.Module, tokens: Tensor) -> tuple[Tensor, int]:
    """Return the summed loss of predicting the first token at all later places, and the number of these."""
    tokens = tokens.to(next(model.parameters()).device)
    scores = model(tokens)[:, 1:].flatten(0, 1)
    targets = tokens[:, :1].expand(-1, tokens.shape[1] - 1).flatten()
    return functional.cross_entropy(scores, targets, reduction="sum"), len(targets)


@torch.no_grad()
def first_token_accuracy(model: nn.Module, tokens: Tensor) -> float:
    """Return the accuracy of the first token at later places; chance is 1 / vocab."""
    tokens = tokens.to(next(model.parameters()).device)
    return (model.eval()(tokens)[:, 1:].argmax(dim=-1) == tokens[:, :1]).float().mean().item()
