"""What do masks hide, what does a query that may look nowhere get, and what does True mean in each library?

    uv run sprints/06_multi_head_attention/masks.py

Every convention is found by running the library: hide some keys, change each key, see which ones still matter. Theory:
notes/03_masks.md
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel, BertConfig, GPT2Config, GPT2Model

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.attention import MultiHeadAttention, attend
from shared.nn.masks import causal_mask, padding_mask

# Takes tokens (1, tokens, d_model) and a mask (tokens,), and returns what the last token gets.
Reader = Callable[[Tensor, Tensor], Tensor]
# Takes queries, keys, values (tokens, d_model) and a mask (tokens, tokens).
Attention = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Config(ScriptConfig):
    tokens: int = 8  # tokens of a row
    d_model: int = 16  # features of a token
    large: float = -1e9  # the finite number that stands for minus infinity in one treatment


@dataclass(frozen=True)
class Treatment:
    """What a query that may look nowhere gets, and what its loss and the loss of the other queries pass back."""

    output: str
    moved_by_hidden: bool
    finite_gradient: bool
    finite_gradient_if_unused: bool


@dataclass(frozen=True)
class Convention:
    """What True means in a mask, and what a mask that hides everything gives."""

    true_means: str
    all_hidden: str


@dataclass(frozen=True)
class Results:
    masks: dict[str, list[list[bool]]]
    treatments: dict[str, Treatment]
    conventions: dict[str, Convention]


def fill_with(number: float) -> Attention:
    """Return the attention that sets hidden scores to a number."""

    def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        scores = query @ key.mT / math.sqrt(query.shape[-1])
        return scores.masked_fill(~mask, number).softmax(dim=-1) @ value

    return attention


def ours(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Return what `attend` does, on tensors without axes for batch and heads."""
    return attend(query[None, None], key[None, None], value[None, None], mask)[0][0, 0]


def try_treatment(attention: Attention, config: Config, generator: torch.Generator) -> Treatment:
    """Hide all keys from query 0, and look at its output and at the gradients."""
    tensors = [torch.randn(config.tokens, config.d_model, generator=generator) for _ in range(3)]
    query, key, value = (tensor.requires_grad_() for tensor in tensors)
    mask = torch.ones(config.tokens, config.tokens, dtype=torch.bool)
    mask[0] = False
    output = attention(query, key, value, mask)
    moved = attention(query, key, value + 1, mask)[0] - output[0]
    whole = torch.autograd.grad(output.square().sum(), (query, key, value), retain_graph=True)
    rest = torch.autograd.grad(output[1:].square().sum(), (query, key, value))
    averaged = torch.allclose(output[0], value.mean(dim=0), atol=1e-5)
    return Treatment(
        output="NaN" if output[0].isnan().any() else "the mean of all values" if averaged else "zeros",
        moved_by_hidden=bool((moved.abs() > 0).any()),
        finite_gradient=all(bool(gradient.isfinite().all()) for gradient in whole),
        finite_gradient_if_unused=all(bool(gradient.isfinite().all()) for gradient in rest),
    )


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
    """Find what True means by hiding the second half of the tokens, and what a mask that hides all gives."""
    count = x.shape[1]
    mask = torch.arange(count) < count // 2
    moved = keys_that_matter(read, x, mask)
    meaning = {
        tuple(mask[:-1].tolist()): "may look",
        tuple((~mask[:-1]).tolist()): "hidden",
        (True,) * (count - 1): "nothing",
    }
    true_means = meaning[tuple(moved or ())]
    if true_means == "nothing":
        return Convention("nothing: it is added to the scores", "looks at all")
    seen = keys_that_matter(read, x, torch.full((count,), true_means == "hidden"))
    return Convention(true_means, "NaN" if seen is None else "looks at what is hidden" if any(seen) else "sees nothing")


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    lengths, tokens = torch.tensor([config.tokens - 3]), config.tokens
    padding, ahead = padding_mask(lengths, tokens)[0, 0].expand(tokens, -1), causal_mask(tokens)
    infinite = fill_with(-math.inf)
    kinds: dict[str, Attention] = {
        "minus infinity": infinite,
        "minus infinity, nan_to_num of the output": lambda *tensors: infinite(*tensors).nan_to_num(),
        "a large negative number": fill_with(config.large),
        "zeros, ours": ours,
    }
    treatments = {name: try_treatment(attention, config, generator) for name, attention in kinds.items()}
    x = torch.randn(1, tokens, config.d_model, generator=generator)
    conventions = {name: find_convention(read, x) for name, read in readers(config).items()}
    for name, treatment in treatments.items():
        print(f"{name:<45}{treatment}")
    for name, convention in conventions.items():
        print(f"{name:<55}True means {convention.true_means}; all hidden: {convention.all_hidden}")
    shown = {"padding": padding, "look-ahead": ahead, "both": padding & ahead}
    return Results({name: mask.tolist() for name, mask in shown.items()}, treatments, conventions)


def plot(results: Results) -> Figure:
    """Draw the masks: dark where a query may look."""
    figure, axes = new_figure(9.0, 3.3, columns=len(results.masks))
    for place, (name, mask) in zip(axes, results.masks.items(), strict=True):
        place.imshow(mask, cmap="Blues", vmin=0, vmax=1.3)
        place.set(title=name, xlabel="key", ylabel="query")
        place.grid(False)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
