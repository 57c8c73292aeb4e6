"""What does True mean in a mask? In each library found by running it.

    uv run sprints/06_multi_head_attention/meaning_of_true.py

Hide half of the keys, change each key, and see which ones still matter; then hide all of them. Theory:
notes/04_masks.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel, BertConfig, GPT2Config, GPT2Model

from shared.lab.config import ScriptConfig
from shared.lab.ranges import MOST
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.attention import MultiHeadAttention

# Takes tokens (1, tokens, d_model) and a mask (tokens,), and returns what the last token gets.
Reader = Callable[[Tensor, Tensor], Tensor]
Tokens = Annotated[int, Field(ge=3, le=MOST)]  # so that hidden and seen ones can be told apart
Features = Annotated[int, Field(ge=4, le=MOST, multiple_of=2)]  # of two heads


@dataclass(frozen=True)
class Config(ScriptConfig):
    tokens: Tokens = 8  # tokens of a row
    d_model: Features = 16  # features of a token


@dataclass(frozen=True)
class Convention:
    """What True means in a mask, and what a mask that hides everything gives."""

    true_means: str
    all_hidden: str


@dataclass(frozen=True)
class Results:
    conventions: dict[str, Convention]


def readers(config: Config) -> dict[str, Reader]:
    """Return the attention of each library, with a mask over the tokens handed over as its users do it."""
    d, heads = config.d_model, 2
    ours, theirs = MultiHeadAttention(d, heads), nn.MultiheadAttention(d, heads, batch_first=True)
    layer = nn.TransformerEncoderLayer(d, heads, 4 * d, dropout=0.0, batch_first=True)
    # Large weights, so that what is looked at shows.
    size = BertConfig(
        vocab_size=2, hidden_size=d, num_hidden_layers=1, num_attention_heads=heads, initializer_range=0.5
    )
    bert, eager = (AutoModel.from_config(size, attn_implementation=kind).eval() for kind in ("sdpa", "eager"))
    small = GPT2Config(
        vocab_size=2, n_embd=d, n_layer=1, n_head=heads, initializer_range=0.5, bos_token_id=0, eos_token_id=0
    )
    gpt2 = GPT2Model(small).eval()
    fused = functional.scaled_dot_product_attention

    def theirs_with(x: Tensor, **masks: Any) -> Tensor:
        return theirs(x[:, -1:], x, x, **masks)[0]

    return {
        "`shared/nn/attention.py`, mask": lambda x, mask: ours(x, mask=mask[None]),
        "scaled_dot_product_attention, bool": lambda x, mask: fused(x, x, x, mask.expand(x.shape[1], -1)),
        "scaled_dot_product_attention, float 1 and 0": (
            lambda x, mask: fused(x, x, x, mask.float().expand(x.shape[1], -1))
        ),
        "nn.MultiheadAttention, key_padding_mask": lambda x, mask: theirs_with(x, key_padding_mask=mask[None]),
        "the same, need_weights=False": lambda x, mask: theirs_with(x, key_padding_mask=mask[None], need_weights=False),
        "nn.MultiheadAttention, attn_mask": lambda x, mask: theirs_with(x, attn_mask=mask[None]),
        "nn.TransformerEncoderLayer, src_key_padding_mask": lambda x, mask: layer(x, src_key_padding_mask=mask[None]),
        "transformers' BERT, attention_mask": (
            lambda x, mask: bert(inputs_embeds=x, attention_mask=mask.long()[None]).last_hidden_state
        ),
        "the same, attn_implementation=eager": (
            lambda x, mask: eager(inputs_embeds=x, attention_mask=mask.long()[None]).last_hidden_state
        ),
        "transformers' GPT-2, attention_mask": (
            lambda x, mask: gpt2(inputs_embeds=x, attention_mask=mask.long()[None]).last_hidden_state
        ),
    }


@torch.no_grad()
def keys_that_matter(read: Reader, x: Tensor, mask: Tensor) -> list[bool] | None:
    """Return which tokens before the last one move what it gets, or None if that is not a number."""
    before = read(x, mask)[0, -1]
    if before.isnan().any():
        return None
    moved = []
    for position in range(x.shape[1] - 1):
        changed = x.clone()
        changed[0, position] += torch.linspace(-1, 1, x.shape[2])
        moved.append(bool((read(changed, mask)[0, -1] - before).abs().max() > 1e-4))
    return moved


def find_convention(read: Reader, x: Tensor) -> Convention:
    """Find what True means by hiding the second half of the tokens, and what a mask that hides all gives.

    Raises:
        ValueError: the tokens have too few features to tell.
    """
    count = x.shape[1]
    mask = torch.arange(count) < count // 2
    moved = keys_that_matter(read, x, mask)
    meaning = {
        tuple(mask[:-1].tolist()): "may look",
        tuple((~mask[:-1]).tolist()): "hidden",
        (True,) * (count - 1): "nothing",
    }
    true_means = meaning.get(tuple(moved or ()))
    if true_means is None:
        raise ValueError(f"of {count} tokens with {x.shape[2]} features, changes do not show: give more --d-model")
    if true_means == "nothing":
        return Convention("nothing: it is added to the scores", "looks at all")
    seen = keys_that_matter(read, x, torch.full((count,), true_means == "hidden"))
    return Convention(true_means, "NaN" if seen is None else "looks at what is hidden" if any(seen) else "sees nothing")


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    x = torch.randn(1, config.tokens, config.d_model, generator=generator)
    conventions = {name: find_convention(read, x) for name, read in readers(config).items()}
    for name, convention in conventions.items():
        print(f"{name:<55}True means {convention.true_means}; all hidden: {convention.all_hidden}")
    return Results(conventions)


if __name__ == "__main__":
    run(main, Config)
