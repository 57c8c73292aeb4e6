"""Three ways to train the same GPT (transformers, PyTorch's own layers, ours), and how they are measured in turns.

Every contender runs in a process of its own, so that none profits from another's settings.
"""

import multiprocessing
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm
from transformers import GPT2Config, GPT2LMHeadModel

from shared.nn.attention import MultiHeadAttention, merge_heads
from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import Batch
from shared.training.loop import train_steps
from shared.training.losses import language_model_loss
from shared.training.optimizers import make_optimizers

SIZE = GPTConfig(vocab_size=2048, context=512, layers=4, heads=4, d_model=256, dropout=0.0)
BLOCK, BATCH_SIZE = 256, 16  # tokens of a row that training reads, and rows
Rates = dict[str, list[float]]


class PlainTorch(nn.Module):
    """A GPT out of PyTorch's own layers, as one writes it in ten lines."""

    def __init__(self, size: GPTConfig) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size.vocab_size, size.d_model)
        self.positions = nn.Embedding(size.context, size.d_model)
        for table in (self.embedding, self.positions):  # as in the other two: from N(0, 1) it learns at half the speed
            nn.init.normal_(table.weight, std=0.02)
        layer = nn.TransformerEncoderLayer(
            size.d_model, size.heads, 4 * size.d_model, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, size.layers, nn.LayerNorm(size.d_model), enable_nested_tensor=False)

    def forward(self, tokens: Tensor) -> Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        x = self.embedding(tokens) + self.positions(torch.arange(tokens.shape[1]))
        return self.layers(x, mask=mask, is_causal=True) @ self.embedding.weight.T


def transformers_model(size: GPTConfig) -> GPT2LMHeadModel:
    """Return the same model in transformers."""
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=size.vocab_size, n_positions=size.context, n_layer=size.layers, n_head=size.heads,
            n_embd=size.d_model, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, bos_token_id=0, eos_token_id=None,
        )
    )  # fmt: skip


def plain_loop(
    model: nn.Module, loss_of: Callable[[nn.Module, Batch], Tensor], batches: Iterator[Batch]
) -> Iterator[float]:
    """Train with the loop that everybody writes first, and yield each loss."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for batch in batches:
        loss = loss_of(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def labels_of(batch: Batch) -> Tensor:
    """Return the tokens, with the label that cross-entropy ignores where they pad."""
    return batch.tokens if batch.mask is None else batch.tokens.masked_fill(~batch.mask, -100)


def transformers_losses(size: GPTConfig, batches: Iterator[Batch]) -> Iterator[float]:
    """Train the model of transformers; yield each loss."""

    def loss_of(model: nn.Module, batch: Batch) -> Tensor:
        return model(batch.tokens, attention_mask=batch.mask, labels=labels_of(batch)).loss

    return plain_loop(transformers_model(size), loss_of, batches)


def plain_torch_losses(size: GPTConfig, batches: Iterator[Batch]) -> Iterator[float]:
    """Train PyTorch's own layers; yield each loss."""

    def loss_of(model: nn.Module, batch: Batch) -> Tensor:
        return functional.cross_entropy(model(batch.tokens[:, :-1]).flatten(0, 1), labels_of(batch)[:, 1:].flatten())

    return plain_loop(PlainTorch(size), loss_of, batches)


class KernelAttention(MultiHeadAttention):
    """Our attention by PyTorch's fused kernel in every precision."""

    def forward(self, x: Tensor, memory: Any = None, mask: Any = None, causal: bool = False, cache: Any = None):
        """Return what each token gathers, in training without dropout."""
        if cache is not None:
            raise ValueError("this one is for training, where there is no cache")
        query, key, value = self.project(x, memory)
        mixed = functional.scaled_dot_product_attention(query, key, value, mask, is_causal=causal and mask is None)
        return self.output(merge_heads(mixed))


def our_losses(
    size: GPTConfig,
    batches: Iterator[Batch],
    muon: float | None = 0.02,
    precision: str = "auto",
    fused_kernel: bool = False,
) -> Iterator[float]:
    """Train our model by our loop; yield each loss."""
    model = GPT(size)
    for block in model.blocks if fused_kernel else []:
        block.attention = KernelAttention(size.d_model, size.heads)
    trained = train_steps(
        model,
        batches,
        loss_function=language_model_loss,
        optimizers=make_optimizers(model, learning_rate=3e-3, muon_learning_rate=muon),
        steps=1_000_000,
        precision=precision,
    )
    return (loss for _, loss in trained)


def alone(function: Callable, *arguments: Any) -> Any:
    """Return what the function returns in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def rates_in_turns(contenders: Mapping[str, Sequence[Any]], rounds: int) -> Rates:
    """Return the rates of every contender, a function and its arguments, which run in turns: all see the same noise."""
    rates: Rates = {name: [] for name in contenders}
    for _ in tqdm(range(rounds), unit="round"):
        for name, (function, *arguments) in contenders.items():
            rates[name].append(alone(function, *arguments))
    return rates


def median_ratio(rates: Rates, ours: str, theirs: str) -> float:
    """Return the median of the ratios of neighbours in time, in which noise that lasts longer than a turn cancels."""
    return statistics.median(one / other for one, other in zip(rates[ours], rates[theirs], strict=True))


def print_rates(title: str, rates: Rates) -> None:
    """Print the median rate of each contender, and the range of its turns."""
    print(f"\n{title}, tokens per second")
    for name, turns in rates.items():
        print(f"  {name:<36}{statistics.median(turns):>9,.0f}   ({min(turns):,.0f} to {max(turns):,.0f})")
