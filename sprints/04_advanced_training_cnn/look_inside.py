"""What has the network learnt? Its filters, its maps of one digit, its mistakes, and where digits become separable.

    uv run sprints/04_advanced_training_cnn/train.py
    uv run sprints/04_advanced_training_cnn/look_inside.py

Looks at the network of the first seed, which train.py saved in the folder of its run.
Theory: notes/09_looking_inside.md
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from digit_study.evaluation import Mistake
from digit_study.trained_network import FILE, TrainedNetwork, load_trained
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.paths import RUNS, shown
from shared.lab.provenance import note_read
from shared.lab.ranges import Folds, NonNegativeInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

MAPS, MISTAKES = 8, 8

PRESETS = {
    "mnist": {"run": "train_mnist"},
}
# Pictures of weights and maps differ wherever training ended elsewhere, as do the mistakes.
TOLERANCE = {
    "*": Tolerance(compared=False),
    "stages.*.features": EXACT,
    "stages.*.active": Tolerance(absolute=0.1),
    "stages.*.probe": Tolerance(absolute=0.02),
    "test_images": EXACT,
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    run: str = "train"  # run of train.py whose network to look at, for example train_mnist
    image: NonNegativeInt = 2  # validation image whose maps are drawn
    folds: Folds = 5  # blocks in which a linear classifier is validated


@dataclass(frozen=True)
class Stage:
    """Features behind a part of a network: how many, the share above zero, the accuracy of a linear classifier."""

    features: int
    active: float
    probe: float


@dataclass(frozen=True)
class Results:
    filters: list[list[list[float]]]
    image: list[list[float]]
    maps: dict[str, list[list[list[float]]]]
    stages: dict[str, Stage]
    mistakes: list[Mistake]
    mistake_pixels: list[list[list[float]]]
    test_images: int


def load(name: str) -> TrainedNetwork:
    """Return the network of a run of train.py, and what belongs to it.

    Args:
        name: the folder of the run below runs/04_advanced_training_cnn, or an absolute path.

    Raises:
        ValueError: train.py has not made it.
    """
    script = Path(__file__).with_name("train.py")
    path = RUNS / script.parent.name / name / FILE
    if not path.is_file():
        preset = path.parent.name.removeprefix("train_")
        command = f"uv run {shown(script)}" + f" --preset {preset}" * path.parent.name.startswith("train_")
        raise ValueError(f"--run must be a finished run of train.py; there is no {shown(path)}: {command} makes it")
    return load_trained(note_read(path, f"{path.parent.name}/{FILE}"))


@contextmanager
def recorded(network: nn.Module) -> Generator[dict[str, Tensor]]:
    """Collect what the parts of a network before its head return, by name."""
    outputs: dict[str, Tensor] = {}

    def keep(name: str, _part: nn.Module, _inputs: tuple, output: Tensor) -> None:
        outputs[name] = output

    parts = [(name, part) for name, part in network.named_children() if name != "head"]
    handles = [part.register_forward_hook(partial(keep, name)) for name, part in parts]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def probe(features: Tensor, labels: Tensor, folds: int) -> float:
    """Return the accuracy of a linear classifier on the features, on blocks that it was not fitted to."""
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    return float(cross_val_score(classifier, features.flatten(1).numpy(), labels.numpy(), cv=KFold(folds)).mean())


@torch.no_grad()
def main(config: Config) -> Results:
    seed_everything(config.seed)
    trained = load(config.run)
    pixels, labels = trained.validation
    if config.image >= len(pixels):
        raise ValueError(f"--image must be below {len(pixels)}, the number of validation images; got {config.image}")
    with recorded(trained.network) as outputs:
        trained.network(pixels)
    features = {"pixels": pixels, **outputs}
    stages = {
        name: Stage(maps[0].numel(), (maps > 0).float().mean().item(), probe(maps, labels, config.folds))
        for name, maps in features.items()
    }
    for name, stage in stages.items():
        print(f"{name:<8}{stage.features:>7,} features, {stage.active:.0%} active, linear classifier {stage.probe:.1%}")
    print(f"{len(trained.mistakes)} of {trained.test_images:,} test images are wrong")
    first_filters = next(weight for weight in trained.network.state_dict().values() if weight.dim() == 4)
    return Results(
        filters=first_filters[:, 0].tolist(),
        image=pixels[config.image, 0].tolist(),
        maps={name: maps[config.image, :MAPS].tolist() for name, maps in outputs.items()},
        stages=stages,
        mistakes=trained.mistakes,
        mistake_pixels=trained.mistake_pixels[:MISTAKES, 0].tolist(),
        test_images=trained.test_images,
    )


def plot(results: Results) -> Figure:
    """Draw filters, a digit's maps by part of the network, and the mistakes that were most certain."""
    rows = {"filters": results.filters, **results.maps, "mistakes": results.mistake_pixels}
    figure, axes = new_figure(9.0, 1.15 * len(rows) + 0.3, rows=len(rows), columns=MAPS + 1)
    for axis in axes.flat:
        axis.set_axis_off()
    for row, (name, pictures) in enumerate(rows.items()):
        shown = pictures[:MAPS]
        axes[row, 0].text(1.0, 0.5, name, ha="right", va="center", transform=axes[row, 0].transAxes)
        colours = "RdBu" if name == "filters" else "gray_r" if name == "mistakes" else "viridis"
        # One scale for a row, so that its pictures can be compared; maps come from ReLU and begin at 0.
        most = max(abs(value) for picture in shown for line in picture for value in line) or 1
        for column, picture in enumerate(shown, start=1):
            drawn = axes[row, column].imshow(picture, cmap=colours, vmin=-most if name == "filters" else 0, vmax=most)
        if name != "mistakes":
            figure.colorbar(drawn, ax=axes[row, :], fraction=0.015, pad=0.01).ax.tick_params(labelsize=7)
    for column, mistake in enumerate(results.mistakes[:MAPS], start=1):
        title = f"{mistake.label}, read {mistake.predicted}\n({mistake.probability:.0%})"
        axes[-1, column].set_title(title, fontsize=8)
    inset = axes[1, 0].inset_axes((-0.1, 0.2, 0.6, 0.6))
    inset.imshow(results.image, cmap="gray_r")
    inset.set_axis_off()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
