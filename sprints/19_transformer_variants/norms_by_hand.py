"""What does RMSNorm leave out, and what does a model lose by it? One token, then a whole model in other weights.

    uv run sprints/19_transformer_variants/norms_by_hand.py

A decoder with layer norms is made into one with RMSNorms that computes the same, by centring what is written to the
residual stream. Theory: notes/09_norms_and_gates.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.decoder import Decoder, DecoderConfig
from shared.nn.norms import RMSNorm
from variants.centred import as_rms_norm


@dataclass(frozen=True)
class Config(ScriptConfig):
    token: tuple[float, ...] = (2.0, 4.0, 4.0, 8.0)  # features of one token
    layers: PositiveInt = 3  # blocks of the model that is rewritten

    def check(self) -> None:
        if len(set(self.token)) < 2 or max(map(abs, self.token)) > 1e6:
            raise ValueError(
                "a norm divides by what differs: --token needs two different numbers at least, from -1e6 to 1e6; got "
                f"{self.token}"
            )


@dataclass(frozen=True)
class Results:
    token: list[float]
    mean: float
    variance: float
    mean_square: float
    rms_norm: list[float]
    layer_norm: list[float]
    centred: list[float]
    shifted_rms_norm: list[float]
    library_difference: float
    models: dict[str, float]


def rms_norm(token: list[float]) -> list[float]:
    """Return the token divided by the root of its mean square."""
    root = (sum(x * x for x in token) / len(token)) ** 0.5
    return [x / root for x in token]


def rewritten(layers: int) -> dict[str, float]:
    """Return by how much the logits of a decoder with layer norms change when its norms are exchanged."""
    config = DecoderConfig.gpt2(50, context=16, layers=layers, heads=2, d_model=16, bias=False)
    before = Decoder(config).double()
    for parameter in before.parameters():  # weights as large as trained ones, gains that are not 1
        parameter.data.add_(0.3 * torch.randn_like(parameter))
    tokens = torch.randint(50, (4, 16))
    moved = {
        "norms exchanged, weights as they were": as_rms_norm(before, centre=False),
        "norms exchanged, writers centred": as_rms_norm(before),
    }
    with torch.no_grad():
        return {name: (after(tokens) - before(tokens)).abs().max().item() for name, after in moved.items()}


def main(config: Config) -> Results:
    seed_everything(config.seed)
    token = list(config.token)
    mean, mean_square = sum(token) / len(token), sum(x * x for x in token) / len(token)
    centred = [x - mean for x in token]
    variance = sum(x * x for x in centred) / len(token)
    ours, tensor = rms_norm(token), torch.tensor(token)
    apart = (RMSNorm(len(token), 0.0)(tensor) - torch.tensor(ours)).abs().max().item()
    results = Results(
        token, mean, variance, mean_square, ours, rms_norm(centred), centred,
        rms_norm([x + 100 for x in token]), apart, rewritten(config.layers),
    )  # fmt: skip
    print(f"mean square {mean_square:g} = mean² {mean**2:g} + variance {variance:g}")
    print("RMSNorm", *(f"{x:.3f}" for x in ours), "| LayerNorm", *(f"{x:.3f}" for x in results.layer_norm))
    for name, difference in results.models.items():
        print(f"{name}: logits move by {difference:.1e}")
    return results


def plot(results: Results) -> Figure:
    """Draw both norms as paths of one token: RMSNorm divides; LayerNorm centres first."""
    figure, axes = drawings.canvas(8.8, 3.1)

    def row(numbers: list[float], x: float, y: float, title: str, colour: str = drawings.TOKEN) -> None:
        drawings.cells(axes, [[round(n, 2) for n in numbers]], x, y, colour=colour, size=0.52, title=title)

    row(results.token, 0.2, 1.85, "token")
    drawings.arrow(axes, (2.4, 1.8), (6.3, 2.4), f"÷ √{results.mean_square:g}")
    row(results.rms_norm, 6.4, 2.65, "RMSNorm", drawings.MIXED)
    drawings.arrow(axes, (2.4, 1.3), (3.4, 0.7), f"− {results.mean:g}")
    row(results.centred, 3.55, 0.95, "centred")
    drawings.arrow(axes, (5.75, 0.7), (6.3, 0.7), f"÷ √{results.variance:g}")
    row(results.layer_norm, 6.4, 0.95, "LayerNorm", drawings.MIXED)
    return figure


if __name__ == "__main__":
    tolerance = {"library_difference": Tolerance(absolute=1e-6), "models.*centred": Tolerance(absolute=1e-9)}
    run(main, Config, plot=plot, tolerance=tolerance)
