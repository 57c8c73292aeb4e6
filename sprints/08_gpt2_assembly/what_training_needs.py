"""How much memory does training a GPT-2 take? By a formula, and as PyTorch allocates it.

    uv run sprints/08_gpt2_assembly/what_training_needs.py
    uv run sprints/08_gpt2_assembly/what_training_needs.py --batch 1 --tokens 256

Two steps of training are run on tensors without numbers (fake tensors know their sizes alone), and whatever is
allocated and freed is counted; for a small model the same on real tensors.
Theory: notes/07_parameters_memory_operations.md
"""

import weakref
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Annotated, Any

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPT, GPTConfig
from shared.training.losses import next_token_loss

SIZES = {
    "gpt2": GPTConfig(dropout=0.0),
    "gpt2-medium": GPTConfig(layers=24, heads=16, d_model=1024, dropout=0.0),
    "gpt2-large": GPTConfig(layers=36, heads=20, d_model=1280, dropout=0.0),
    "gpt2-xl": GPTConfig(layers=48, heads=25, d_model=1600, dropout=0.0),
}
SMALL = GPTConfig(vocab_size=512, context=64, layers=2, heads=4, d_model=32, dropout=0.0)
Tokens = Annotated[int, Field(ge=2, le=1024)]  # of the context


@dataclass(frozen=True)
class Config(ScriptConfig):
    tokens: Tokens = 1024  # tokens of a sequence
    batch: PositiveInt = 8  # sequences of a batch


@dataclass(frozen=True)
class Memory:
    """Gigabytes at the peak of a training step, by formula and counted, and what the formula adds up."""

    weights: float
    moments: float
    activations: float
    logits: float
    by_formula: float
    counted: float


@dataclass(frozen=True)
class Results:
    sizes: dict[str, Memory]
    counted_with_dropout: float
    small_real_mb: float
    small_counted_mb: float
    small_by_formula_mb: float


class Allocations(TorchDispatchMode):
    """Counts the bytes of all tensors that are made while it is active, until they are freed."""

    def __init__(self) -> None:
        super().__init__()
        self.live = self.peak = 0
        self.sizes: dict[int, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in tree_iter(made):
            if isinstance(tensor, Tensor):
                self.note(tensor.untyped_storage())
        return made

    def note(self, storage: torch.UntypedStorage) -> None:
        if (key := storage._cdata) not in self.sizes:  # tensors that share their memory share this
            self.sizes[key] = storage.nbytes()
            self.live += self.sizes[key]
            self.peak = max(self.peak, self.live)
            weakref.finalize(storage, self.free, key)

    def free(self, key: int) -> None:
        self.live -= self.sizes.pop(key)


def count(config: GPTConfig, batch: int, tokens: int, *, fake: bool) -> int:
    """Return the most bytes that are allocated at once in the second step of training with AdamW."""
    with FakeTensorMode() if fake else nullcontext(), Allocations() as allocations:
        model = GPT(config)
        optimizer = torch.optim.AdamW(model.parameters())
        ids = torch.zeros(batch, tokens, dtype=torch.long)
        for _ in range(2):  # Adam makes its moments in the first step
            allocations.peak = allocations.live
            next_token_loss(model(ids), ids).backward()
            optimizer.step()
            optimizer.zero_grad()
        return allocations.peak


def by_formula(config: GPTConfig, batch: int, tokens: int) -> Memory:
    """Return the memory at the moment when the backward pass begins, in gigabytes of float32."""
    d, layers, vocab_size = config.d_model, config.layers, config.vocab_size
    parameters = layers * (12 * d * d + 13 * d) + (vocab_size + config.context + 2) * d
    # For each token a block keeps 16 d numbers: the inputs of both norms (2 d), those of the four matrices (7 d),
    # queries, keys and values (3 d), the hidden features before GELU (4 d); and a few of its norms and its softmax.
    activations = batch * tokens * (layers * (16 * d + config.heads + 4) + 2 * d + 2)
    # The logarithms of the probabilities, their gradient, and the gradient of the logits, all at the same moment.
    logits = 3 * batch * (tokens - 1) * vocab_size
    # Later, gradients of the weights come and activations go. Adam's step needs its largest matrix twice more.
    total = max(3 * parameters + activations + logits, 4 * parameters + 2 * max(vocab_size, 4 * d) * d)
    gigabytes = [4 * numbers / 1e9 for numbers in (parameters, 2 * parameters, activations, logits, total)]
    return Memory(*gigabytes, counted=0.0)


def main(config: Config) -> Results:
    sizes = {}
    for name, size in SIZES.items():
        counted = count(size, config.batch, config.tokens, fake=True) / 1e9
        sizes[name] = memory = replace(by_formula(size, config.batch, config.tokens), counted=counted)
        print(f"{name:<12} {memory.by_formula:5.1f} GB by formula, {memory.counted:5.1f} counted")
    dropout = count(GPTConfig(), config.batch, config.tokens, fake=True) / 1e9
    print(f"gpt2 with its dropout of 0.1 on this kind of processor: {dropout:.1f} GB")
    small = [count(SMALL, 4, 64, fake=fake) / 1e6 for fake in (False, True)]
    formula = 1e3 * by_formula(SMALL, 4, 64).by_formula
    print(f"a small model: {small[0]:.2f} MB on real tensors, {small[1]:.2f} on fake ones, {formula:.2f} by formula")
    return Results(sizes, dropout, *small, formula)


def plot(results: Results) -> Figure:
    """Draw what the memory is made of, by the size of the model."""
    figure, axes = new_figure(7.6, 3.2)
    left = [0.0] * len(results.sizes)
    for index, part in enumerate(("weights", "moments", "activations", "logits")):
        widths = [getattr(memory, part) for memory in results.sizes.values()]
        axes.barh(list(results.sizes), widths, left=left, label=part, color=COLOURS[index])
        left = [before + width for before, width in zip(left, widths, strict=True)]
    for row, memory in enumerate(results.sizes.values()):
        axes.plot([memory.counted] * 2, [row - 0.45, row + 0.45], color="black", linewidth=2)
        axes.text(memory.counted + 0.8, row, f"{memory.counted:.1f}", va="center")
    axes.set(xlabel="GB (float32); the black line is what was counted", xlim=(0, 1.12 * max(left)))
    axes.invert_yaxis()
    axes.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False)
    return figure


if __name__ == "__main__":
    # How attention is computed depends on the version of PyTorch, and what it keeps with it.
    run(main, Config, plot=plot, tolerance={"*": Tolerance(relative=0.02)})
