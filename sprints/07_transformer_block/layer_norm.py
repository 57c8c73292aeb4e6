"""What does layer normalisation do to a token, and how does a gradient come back through it?

    uv run sprints/07_transformer_block/layer_norm.py

Layer norm and RMSNorm with both passes written out, beside PyTorch's; then each is shown changed inputs, to see what it
does not notice. Theory: notes/01_normalisation.md
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from block_study.hand_written_norms import HandLayerNorm, HandRMSNorm
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
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
    batch: int = 8  # rows
    tokens: int = 16  # tokens of a row
    d_model: int = 64  # features of a token


@dataclass(frozen=True)
class Results:
    """How far ours and PyTorch's norms differ, and what happens to the output when the input is changed.

    Args:
        output_difference: the largest.
        gradient_difference: the largest, as a share of the largest number in the gradient of input, gain or bias.
        gradcheck: whether the backward pass by hand agrees with finite differences.
        moved: root mean square change of the output by norm and change of the input.
        gradient_along: the cosine of the input's gradient with the direction of all ones and with the output.
        scales: the scale of the input.
        output_rms, gradient_norm: by scale, of layer norm.
    """

    output_difference: dict[str, float]
    gradient_difference: dict[str, float]
    gradcheck: dict[str, bool]
    moved: dict[str, dict[str, float]]
    gradient_along: dict[str, dict[str, float]]
    scales: list[float]
    output_rms: list[float]
    gradient_norm: list[float]


def pairs(d_model: int) -> dict[str, tuple[nn.Module, nn.Module]]:
    """Return our norms and PyTorch's, with the same random gains and biases."""
    made = {
        "layer norm": (HandLayerNorm(d_model, EPSILON), nn.LayerNorm(d_model, EPSILON)),
        "RMSNorm": (HandRMSNorm(d_model, EPSILON), nn.RMSNorm(d_model, EPSILON)),
    }
    for ours, theirs in made.values():
        for parameter in ours.parameters():
            nn.init.normal_(parameter)
        theirs.load_state_dict(ours.state_dict())
    return made


def output_and_gradients(norm: nn.Module, x: Tensor, direction: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return the output, and the gradients of its dot product with a direction, the input's first."""
    x = x.clone().requires_grad_()
    output = norm(x)
    return output.detach(), list(torch.autograd.grad((output * direction).sum(), [x, *norm.parameters()]))


def largest(a: Tensor, b: Tensor) -> float:
    return (a - b).abs().max().item()


def cosine(a: Tensor, b: Tensor) -> float:
    """Return the largest cosine, sign aside, of the vectors of two tensors (batch, tokens, d_model)."""
    return torch.cosine_similarity(a, b.expand_as(a), dim=-1).abs().max().item()


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    shape = (config.batch, config.tokens, config.d_model)
    x, direction = (torch.randn(shape, generator=generator) for _ in range(2))
    output_difference, gradient_difference, gradcheck = {}, {}, {}
    for name, (ours, theirs) in pairs(config.d_model).items():
        (our_output, our_gradients), (output, gradients) = (
            output_and_gradients(n, x, direction) for n in (ours, theirs)
        )
        output_difference[name] = largest(our_output, output)
        gradient_difference[name] = max(
            largest(mine, other) / other.abs().max().item()
            for mine, other in zip(our_gradients, gradients, strict=True)
        )
        gradcheck[name] = torch.autograd.gradcheck(ours.double(), x[:1, :2].double().requires_grad_())

    plain = {"layer norm": HandLayerNorm(config.d_model), "RMSNorm": HandRMSNorm(config.d_model)}
    everything = plain | {"batch norm": _batch_norm(config.d_model), "no norm": nn.Identity()}
    moved = {
        name: {change: (norm(make(x)) - norm(x)).square().mean().sqrt().item() for change, make in CHANGES.items()}
        for name, norm in everything.items()
    }
    along = {}
    for name, norm in plain.items():
        output, (gradient, *_) = output_and_gradients(norm, x, direction)
        along[name] = {"all ones": cosine(gradient, torch.ones(1)), "the output": cosine(gradient, output)}
    scaled = [output_and_gradients(plain["layer norm"], scale * x, direction) for scale in SCALES]
    results = Results(
        output_difference=output_difference,
        gradient_difference=gradient_difference,
        gradcheck=gradcheck,
        moved=moved,
        gradient_along=along,
        scales=SCALES,
        output_rms=[output.square().mean().sqrt().item() for output, _ in scaled],
        gradient_norm=[gradients[0].norm().item() / direction.norm().item() for _, gradients in scaled],
    )
    for name in plain:
        print(f"{name}: outputs differ by {output_difference[name]:.0e}, gradients by {gradient_difference[name]:.0e};")
        print(f"  finite differences agree: {gradcheck[name]}; cosine of the gradient with {along[name]}")
    for change in CHANGES:
        print(f"{change:<36}" + "  ".join(f"{name} {its[change]:.2g}" for name, its in moved.items()))
    return results


def _batch_norm(d_model: int) -> nn.Module:
    """Return batch normalisation over all tokens of a batch, each feature on its own."""
    return nn.Sequential(nn.Flatten(0, 1), nn.BatchNorm1d(d_model))


def plot(results: Results) -> Figure:
    """Draw what becomes of the scale of the input, forwards and backwards."""
    figure, axes = new_figure(width=6.0, height=3.8)
    axes.loglog(results.scales, results.output_rms, "o-", label="size of the output")
    axes.loglog(results.scales, results.gradient_norm, "s-", label="gradient of the input, by that of the output")
    axes.axvline(EPSILON**0.5, color="gray", linestyle="--", label="root of epsilon")
    axes.set(xlabel="scale of the input (standard deviation)")
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
