"""AdamW whose averages are kept in 8 bits (Dettmers et al. 2022, *8-bit Optimizers via Block-wise Quantization*)."""

import math
from collections.abc import Callable, Iterable
from functools import cache

import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor, nn
from torch.optim import Optimizer

BLOCK = 256  # numbers that share a scale
LEAST = 4096  # numbers of a parameter: smaller ones keep their averages in float32, as in the paper


@cache
def dynamic_code(signed: bool) -> Float32[Tensor, " 256"]:
    """Return 256 values in [-1, 1] (signed) or [0, 1] that lie close together near 0 (Dettmers et al., section 1.3).

    Each decade 10^-6 ... 10^0 is divided evenly, and each has twice as many values as the one below; then 0 and 1.
    """
    values = [0.0, 1.0]
    for decade in range(7):
        count = 2 ** (decade if signed else decade + 1)
        ends = torch.linspace(0.1, 1, count + 1, dtype=torch.float64)
        middles = (10.0 ** (decade - 6) * (ends[:-1] + ends[1:]) / 2).tolist()
        values += middles + [-middle for middle in middles] * signed
    return torch.tensor(sorted(values), dtype=torch.float32)


@cache
def linear_code(signed: bool) -> Float32[Tensor, " 256"]:
    """Return 256 values in even steps, for comparison."""
    return torch.linspace(-1 if signed else 0, 1, 256)


class Blockwise:
    """A tensor in 8 bits a number and a scale, the largest absolute value, for each block of 256.

    Args:
        values: what is kept; its size is a multiple of 256.
        code: the 256 values that a number can have, in ascending order, times its block's scale.
    """

    def __init__(self, values: Float[Tensor, "..."], code: Float32[Tensor, " 256"]) -> None:
        self.code, self.shape = code, values.shape
        self.borders = (code[1:] + code[:-1]) / 2  # nearer to the value below, or to the one above?
        self.numbers: UInt8[Tensor, "blocks 256"]
        self.scales: Float[Tensor, "blocks 1"]
        self.store(values)

    def store(self, values: Float[Tensor, "..."]) -> None:
        """Keep other values of the same shape."""
        blocks = values.reshape(-1, BLOCK)
        self.scales = blocks.abs().amax(dim=1, keepdim=True).clamp_min(1e-30)
        self.numbers = torch.bucketize(blocks / self.scales, self.borders, out_int32=True).to(torch.uint8)

    def load(self) -> Float[Tensor, "..."]:
        """Return the values as they were rounded."""
        return (self.code[self.numbers.int()] * self.scales).view(self.shape)


class AdamW8Bit(Optimizer):
    """AdamW (Loshchilov & Hutter 2019) that rounds both averages after each step.

    Args:
        parameters: what is trained.
        lr: learning rate.
        betas: of the two averages.
        eps: added to the root of the second one.
        weight_decay: times the learning rate, of the weights.
        code: makes the 256 values of an average, signed or not.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        code: Callable[[bool], Tensor] = dynamic_code,
    ) -> None:
        self.code = code
        super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # ty: ignore
        """Do one step for every parameter that has a gradient; one parameter's averages are float at a time."""
        if closure is not None:
            raise ValueError("this optimizer takes no closure: call backward() first, then step()")
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self.update(weight, weight.grad, group)

    def update(self, weight: Tensor, gradient: Tensor, group: dict) -> None:
        """Do one step for one parameter."""
        state, (beta1, beta2) = self.state[weight], group["betas"]
        if not state:
            state["step"] = 0
        first, second = self.load(state, "first", weight), self.load(state, "second", weight)
        state["step"] += 1
        first.lerp_(gradient, 1 - beta1)
        second.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        step_size = group["lr"] / (1 - beta1 ** state["step"])
        root = second.sqrt().div_(math.sqrt(1 - beta2 ** state["step"])).add_(group["eps"])
        weight.mul_(1 - group["lr"] * group["weight_decay"]).addcdiv_(first, root, value=-step_size)
        for name, value, signed in (("first", first, True), ("second", second, False)):
            if isinstance(kept := state.get(name), Blockwise):
                kept.store(value)
            elif weight.numel() >= LEAST and weight.numel() % BLOCK == 0:
                state[name] = Blockwise(value, self.code(signed))
            else:
                state[name] = value

    @staticmethod
    def load(state: dict, name: str, weight: Tensor) -> Tensor:
        """Return an average in floating point, all zeros before the first step."""
        kept = state.get(name)
        if kept is None:
            return torch.zeros_like(weight)
        return kept.load() if isinstance(kept, Blockwise) else kept
