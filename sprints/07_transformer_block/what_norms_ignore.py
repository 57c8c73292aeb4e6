"""What does a norm not notice? Each is shown changed inputs, and each gradient what it cannot contain.

    uv run sprints/07_transformer_block/what_norms_ignore.py

Layer norm and RMSNorm beside batch norm and no norm at all. Theory: notes/03_layer_norm.md
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from block_study.token_batch_norm import TokenBatchNorm
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

EPSILON = 1e-5
SCALES = [10.0**exponent for exponent in range(-6, 5)]
# What is done to all tokens; a norm that does not notice gives the same output.
CHANGES: dict[str, Callable[[Tensor], Tensor]] = {
    "3 added to all features of a token": lambda x: x + 3,
    "all features of a token times 2": lambda x: 2 * x,
    "one feature of all tokens times 2": lambda x: torch.cat([2 * x[..., :1], x[..., 1:]], dim=-1),
    "the sign of all features turned": lambda x: -x,
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    batch: PositiveInt = 8  # rows
    tokens: AtLeastTwo = 16  # tokens of a row
    d_model: AtLeastTwo = 64  # features of a token


@dataclass(frozen=True)
class Results:
    """What happens to the output of norms when the input is changed.

    Args:
        moved: root mean square change of the output by norm and change of the input.
        gradient_along: the cosine of the input's gradient with the direction of all ones and with the output.
        scales: the scale of the input.
        output_rms, gradient_norm: by scale, of layer norm.
    """

    moved: dict[str, dict[str, float]]
    gradient_along: dict[str, dict[str, float]]
    scales: list[float]
    output_rms: list[float]
    gradient_norm: list[float]


def output_and_gradient(norm: nn.Module, x: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Return the output, and the input's gradient of its dot product with a direction."""
    x = x.clone().requires_grad_()
    output = norm(x)
    (gradient,) = torch.autograd.grad((output * direction).sum(), x)
    return output.detach(), gradient


def cosine(a: Tensor, b: Tensor) -> float:
    """Return the largest cosine, sign aside, of the vectors of two tensors (batch, tokens, d_model)."""
    return torch.cosine_similarity(a, b.expand_as(a), dim=-1).abs().max().item()


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    shape = (config.batch, config.tokens, config.d_model)
    x, direction = (torch.randn(shape, generator=generator) for _ in range(2))
    norms = {"layer norm": nn.LayerNorm(config.d_model, EPSILON), "RMSNorm": nn.RMSNorm(config.d_model, EPSILON)}
    others = {"batch norm": TokenBatchNorm(config.d_model), "no norm": nn.Identity()}
    moved = {
        name: {change: (norm(make(x)) - norm(x)).square().mean().sqrt().item() for change, make in CHANGES.items()}
        for name, norm in (norms | others).items()
    }
    along = {}
    for name, norm in norms.items():
        output, gradient = output_and_gradient(norm, x, direction)
        along[name] = {"all ones": cosine(gradient, torch.ones(1)), "the output": cosine(gradient, output)}
        print(f"{name}: cosine of the gradient with {along[name]}")
    scaled = [output_and_gradient(norms["layer norm"], scale * x, direction) for scale in SCALES]
    for change in CHANGES:
        print(f"{change:<36}" + "  ".join(f"{name} {by[change]:.2g}" for name, by in moved.items()))
    return Results(
        moved=moved,
        gradient_along=along,
        scales=SCALES,
        output_rms=[output.square().mean().sqrt().item() for output, _ in scaled],
        gradient_norm=[(gradient.norm() / direction.norm()).item() for _, gradient in scaled],
    )


def plot(results: Results) -> Figure:
    """Draw what becomes of the scale of the input, forwards and backwards."""
    figure, axes = new_figure(width=7.0, height=3.8)
    axes.loglog(results.scales, results.output_rms, "o-")
    axes.loglog(results.scales, results.gradient_norm, "s-")
    axes.text(results.scales[-4], 1.6 * results.output_rms[-4], "root mean square of the output", color="C0")
    axes.text(results.scales[0], 0.25 * results.gradient_norm[0], "gradient of the input\nper gradient of the output",
              color="C1", va="top")  # fmt: skip
    axes.axvline(EPSILON**0.5, color="gray", linestyle="--")
    axes.text(1.2 * EPSILON**0.5, results.gradient_norm[-1], "root of epsilon", color="gray")
    axes.set(xlabel="standard deviation of the input", ylabel="size")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": Tolerance(relative=1e-4, absolute=1e-5)})
