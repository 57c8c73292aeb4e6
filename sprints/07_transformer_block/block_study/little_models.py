"""The smallest models around a block: enough for the invariants of `shared/checks/invariants.py` to have a meaning."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from shared.checks.invariants import (
    InvariantError,
    check_cache,
    check_causality,
    check_padding_invariance,
    check_source_sensitivity,
)
from shared.checks.sanity import check_gradients, check_initial_loss, check_overfits_one_batch, check_reported_loss
from shared.nn.blocks import DecoderBlock, EncoderBlock, GPTBlock, Norm
from shared.nn.cache import KeyValueCache
from shared.nn.masks import for_all_queries
from shared.nn.positions import LearnedPositions
from shared.training.losses import next_token_loss

VOCAB, CONTEXT = 11, 16
CHECKS = ("causality", "source", "padding", "initial loss", "reported loss", "cache", "gradients", "one batch")
Loss = Callable[[Tensor, Tensor], Tensor]


class LittleModel(nn.Module):
    """What both little models have: embeddings of tokens and places, blocks, a norm, and a head that starts small."""

    def __init__(self, blocks: list[nn.Module], d_model: int, heads: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, d_model)
        self.positions = LearnedPositions(CONTEXT, d_model)
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.LayerNorm(d_model)
        self.head = nn.Linear(d_model, VOCAB)
        nn.init.normal_(self.head.weight, std=0.02)
        self.sizes = (d_model, heads)

    def embed(self, tokens: Tensor, past: int = 0) -> Tensor:
        """Return the vectors of tokens that stand after `past` others, (batch, tokens, d_model)."""
        return self.embedding(tokens) + self.positions(torch.arange(past, past + tokens.shape[1]))

    def new_cache(self, batch: int, max_tokens: int) -> list[KeyValueCache]:
        """Return an empty cache for each block."""
        d_model, heads = self.sizes
        return [KeyValueCache(batch, heads, max_tokens, d_model // heads) for _ in self.blocks]


class LittleGPT(LittleModel):
    """A language model: blocks of a kind, whose attention is causal."""

    def __init__(self, kind: type[EncoderBlock], norm: Norm, layers: int, d_model: int = 16, heads: int = 2) -> None:
        super().__init__([kind(d_model, heads, norm=norm) for _ in range(layers)], d_model, heads)

    def forward(self, tokens: Tensor, mask: Tensor | None = None, cache: list[KeyValueCache] | None = None) -> Tensor:
        """Return the logits of the token after each; the mask (batch, tokens) is True where a token is real."""
        x = self.embed(tokens, cache[0].length if cache else 0)
        for layer, block in enumerate(self.blocks):
            x = block(x, for_all_queries(mask), causal=True, cache=cache[layer] if cache else None)
        return self.head(self.norm(x))


class LittleTranslator(LittleModel):
    """A stack of EncoderBlocks that reads a source, and one of DecoderBlocks that writes a target."""

    def __init__(self, norm: Norm, layers: int, d_model: int = 16, heads: int = 2) -> None:
        super().__init__([DecoderBlock(d_model, heads, norm=norm) for _ in range(layers)], d_model, heads)
        self.encoder = nn.ModuleList(EncoderBlock(d_model, heads, norm=norm) for _ in range(layers))

    def forward(
        self,
        source: Tensor,
        target: Tensor,
        source_mask: Tensor | None = None,
        target_mask: Tensor | None = None,
        cache: list[KeyValueCache] | None = None,
    ) -> Tensor:
        """Return the logits of the target token after each; masks (batch, tokens) are True where a token is real."""
        memory, x = self.embed(source), self.embed(target, cache[0].length if cache else 0)
        for block in self.encoder:
            memory = block(memory, for_all_queries(source_mask))
        for layer, block in enumerate(self.blocks):
            own = cache[layer] if cache else None
            x = block(x, memory, mask=for_all_queries(target_mask), memory_mask=for_all_queries(source_mask), cache=own)
        return self.head(self.norm(x))


class WithSource(nn.Module):
    """A little translator of one source, as a language model of its targets."""

    def __init__(self, model: LittleTranslator, source: Tensor) -> None:
        super().__init__()
        self.model, self.source, self.new_cache = model, source, model.new_cache

    def forward(self, tokens: Tensor, cache: list[KeyValueCache] | None = None) -> Tensor:
        """Return the logits of the token after each."""
        return self.model(self.source, tokens, cache=cache)


# Every kind of block that `shared/nn/blocks.py` has, alone and in a stack.
MODELS: dict[str, Callable[[], LittleModel]] = {
    f"{kind}, {norm}, {layers}": partial(make, norm, layers)
    for kind, make, norms in (
        ("EncoderBlock", partial(LittleGPT, EncoderBlock), ("pre", "post")),
        ("GPTBlock", partial(LittleGPT, GPTBlock), ("pre", "post")),
        ("DecoderBlock", LittleTranslator, ("pre", "post")),
    )
    for norm in norms
    for layers in (1, 3)
}


def checks_of(model: LittleModel, loss: Loss = next_token_loss, steps: int = 200) -> dict[str, Callable[[], None]]:
    """Return the invariants that have a meaning for a model, each as a call that raises InvariantError if it is broken.

    Args:
        model: a translator is checked with one batch of sources.
        loss: of logits and tokens, what the model is trained and reported with.
        steps: to learn one batch by heart.
    """
    generator = torch.Generator().manual_seed(0)
    source, tokens = (torch.randint(VOCAB, (4, 8), generator=generator) for _ in range(2))
    # Rows that begin alike and go on differently could not be learnt by heart.
    tokens[:, 0] = torch.arange(4)
    real = torch.arange(8) < torch.tensor([8, 5, 3, 2])[:, None]
    reader = WithSource(model, source) if isinstance(model, LittleTranslator) else model

    def loss_of(reader: nn.Module) -> Tensor:
        return loss(reader(tokens), tokens)

    def padding() -> None:
        if not isinstance(model, LittleTranslator):
            return check_padding_invariance(model, tokens, real, vocab_size=VOCAB)
        check_padding_invariance(lambda s, mask: model(s, tokens, mask), source, real, vocab_size=VOCAB)
        return check_padding_invariance(lambda t, mask: model(source, t, None, mask), tokens, real, vocab_size=VOCAB)

    checks = {
        "causality": lambda: check_causality(reader, tokens, vocab_size=VOCAB),
        "source": lambda: check_source_sensitivity(model, source, tokens, vocab_size=VOCAB),
        "padding": padding,
        "initial loss": lambda: check_initial_loss(loss_of(reader).item(), VOCAB),
        "reported loss": lambda: check_reported_loss(loss_of(reader).item(), reader, tokens, tolerance=1e-5),
        "cache": lambda: check_cache(reader, tokens),
        "gradients": lambda: check_gradients(reader, loss_of(reader)),
        "one batch": lambda: check_overfits_one_batch(reader, loss_of, steps=steps, learning_rate=1e-2),
    }
    if not isinstance(model, LittleTranslator):
        del checks["source"]
    return checks


def complaint(check: Callable[[], None]) -> str | None:
    """Return what a check has to say against a model, None if nothing."""
    try:
        check()
    except InvariantError as error:
        return str(error)
    return None
