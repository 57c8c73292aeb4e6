"""Are our blocks the blocks of PyTorch? Same weights in, same outputs and gradients out, for every norm and mask.

    uv run sprints/07_transformer_block/parity.py
    uv run sprints/07_transformer_block/parity.py --precision float64

`EncoderBlock` beside nn.TransformerEncoderLayer, `DecoderBlock` beside nn.TransformerDecoderLayer, alone and stacked.
PyTorch's masks are True where a query may NOT look: the only translation needed. Theory: notes/07_equal_to_pytorch.md
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from tqdm import tqdm

from block_study.pytorch_twins import TwinStack, make_twins
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.masks import causal_mask, padding_mask

VARIANTS = list(product(("encoder", "decoder"), ("pre", "post"), ("relu", "gelu")))

PRESETS = {
    "float64": {"precision": "float64"},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    depths: tuple[PositiveInt, ...] = (1, 2, 3, 4, 5, 6)  # blocks of a stack
    batch: PositiveInt = 3  # rows
    tokens: AtLeastTwo = 8  # tokens of a row
    d_model: AtLeastTwo = 32  # features of a token
    heads: PositiveInt = 4  # attention heads
    d_hidden: PositiveInt = 64  # features between the layers of the feed-forward network
    precision: Literal["float32", "float64"] = "float32"  # float32 or float64

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        if self.batch > self.tokens:
            raise ValueError(
                f"each row is padded by one token more; got --batch {self.batch} of --tokens {self.tokens}"
            )


@dataclass(frozen=True)
class Results:
    """The largest differences, each as [of the output, of the gradients as a share of the largest number in each].

    Args:
        by_depth: by kind, placement of the norm and activation, for each depth, over all masks.
        by_mask: by kind and mask, over all else.
        fast_path: of the output, where PyTorch takes its fused path (encoder, evaluation, no gradients).
        comparisons: how many pairs of stacks were compared.
    """

    depths: list[int]
    by_depth: dict[str, list[list[float]]]
    by_mask: dict[str, dict[str, list[float]]]
    fast_path: float
    comparisons: int


class MaskCase(NamedTuple):
    """A case of masks: its name, our arguments (True: may look), PyTorch's (True: may not)."""

    name: str
    ours: dict[str, Any]
    theirs: dict[str, Any]


def mask_cases(config: Config, kind: str) -> Iterator[MaskCase]:
    lengths = config.tokens - torch.arange(config.batch)
    real = padding_mask(lengths, config.tokens)
    hidden, future = ~real[:, 0, 0], ~causal_mask(config.tokens)
    drawn = torch.rand(config.tokens, config.tokens) < 0.5
    drawn |= torch.eye(config.tokens, dtype=torch.bool)  # nobody is left without anything to look at
    if kind == "encoder":
        yield MaskCase("no mask", {}, {})
        yield MaskCase("padding", {"mask": real}, {"src_key_padding_mask": hidden})
        yield MaskCase("causal", {"causal": True}, {"mask": future})
        both = {"mask": future, "src_key_padding_mask": hidden}
        yield MaskCase("causal and padding", {"mask": real, "causal": True}, both)
        yield MaskCase("random", {"mask": drawn}, {"mask": ~drawn})
        return
    future = {"tgt_mask": future}
    yield MaskCase("no mask", {}, future)
    yield MaskCase("padded targets", {"mask": real}, future | {"tgt_key_padding_mask": hidden})
    yield MaskCase("padded memory", {"memory_mask": real}, future | {"memory_key_padding_mask": hidden})
    both = {"tgt_key_padding_mask": hidden, "memory_key_padding_mask": hidden}
    yield MaskCase("both padded", {"mask": real, "memory_mask": real}, future | both)
    yield MaskCase("random for the memory", {"memory_mask": drawn}, future | {"memory_mask": ~drawn})


def compare(ours: TwinStack, theirs: nn.Module, inputs: list[Tensor], case: MaskCase) -> list[float]:
    """Return the largest difference of the outputs, and of the gradients of all inputs and weights."""
    mine, other = ours(*inputs, **case.ours), theirs(*inputs, **case.theirs)
    direction = torch.randn_like(mine)
    computed = torch.autograd.grad((mine * direction).sum(), [*inputs, *ours.parameters()])
    expected = torch.autograd.grad((other * direction).sum(), [*inputs, *theirs.parameters()])
    expected = [*expected[: len(inputs)], *ours.in_our_form(theirs, expected[len(inputs) :])]
    gradients = max(((a - b).abs().max() / b.abs().max()).item() for a, b in zip(computed, expected, strict=True))
    return [(mine - other).abs().max().item(), gradients]


@torch.no_grad()
def compare_fast_path(ours: TwinStack, theirs: nn.Module, x: Tensor, case: MaskCase) -> float:
    """Return the largest difference at real tokens; what the fused path says about padding is nobody's business."""
    real = case.ours["mask"][:, 0, 0]
    return (ours(x, **case.ours) - theirs.eval()(x, **case.theirs))[real].abs().max().item()


def main(config: Config) -> Results:
    seed_everything(config.seed)
    results = Results(list(config.depths), {}, {"encoder": {}, "decoder": {}}, 0.0, 0)
    dtype, fast, comparisons = getattr(torch, config.precision), 0.0, 0
    sizes = {name: getattr(config, name) for name in ("d_model", "heads", "d_hidden")}
    for kind, norm, activation in tqdm(VARIANTS, desc="variants"):
        rows = results.by_depth.setdefault(f"{kind}, {norm}, {activation}", [])
        for depth in config.depths:
            ours, theirs = make_twins(kind, norm, activation, depth, dtype=dtype, **sizes)
            shape, differences = (config.batch, config.tokens, config.d_model), []
            for case in mask_cases(config, kind):
                inputs = [torch.randn(shape, dtype=dtype, requires_grad=True) for _ in range(1 + (kind == "decoder"))]
                differences.append(compare(ours, theirs, inputs, case))
                if (kind, case.name) == ("encoder", "padding"):
                    fast = max(fast, compare_fast_path(ours, theirs, inputs[0], case))
                    theirs.train()
                before = results.by_mask[kind].get(case.name, [0.0, 0.0])
                results.by_mask[kind][case.name] = list(map(max, before, differences[-1]))
            rows.append(list(map(max, *differences)))
            comparisons += len(differences)
    for name, rows in results.by_depth.items():
        print(f"{name:<22}" + "  ".join(f"{output:.0e} {gradient:.0e}" for output, gradient in rows))
    for kind, by_mask in results.by_mask.items():
        for name, (output, gradient) in by_mask.items():
            print(f"{kind}, {name:<22} output {output:.1e}, gradients {gradient:.1e}")
    print(f"PyTorch's fused path: {fast:.1e}; {comparisons} comparisons in {config.precision}")
    return Results(results.depths, results.by_depth, results.by_mask, fast, comparisons)


if __name__ == "__main__":
    # What differs is rounding, which another processor does otherwise: only its size is the result.
    run(main, Config, presets=PRESETS, tolerance={"*": Tolerance(absolute=1e-5), "comparisons": EXACT})
