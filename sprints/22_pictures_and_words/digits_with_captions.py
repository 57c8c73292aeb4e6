"""Can captions alone teach digits? Two towers, without a classifier, beside logistic regression and an SVC.

    uv run sprints/22_pictures_and_words/digits_with_captions.py
    uv run sprints/22_pictures_and_words/digits_with_captions.py --preset full

The first half of scikit-learn's digits trains and chooses settings; the second half, by other hands, tests once. To
classify, the towers read ten captions that no picture had. In a minute they are about as good as logistic regression;
what twins in a group change, only the five seeds of --preset full can say. Theory: notes/11_glyphs_and_digits.md
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from seeing.contrasting import Contrast, PairBatch, train_towers
from seeing.contrastive import ContrastiveLoss
from seeing.digit_captions import as_input, caption_tokens, groups, prompts
from seeing.distortions import distort
from seeing.two_towers import TextConfig, TwoTowers
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import ROUNDING, TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.digits import Digits, halves, load_digits
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, NonNegativeFloat, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory
from shared.nn.vision_config import VisionConfig

SEARCH_SEED, TEN, HEADS = 1000, 10, 4
Settings = Annotated[tuple[PositiveFloat, ...], Different]

PRESETS = {"full": {"rates": (0.01, 0.02, 0.04), "steps": 800, "seeds": 5}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    inverse_penalties: Settings = (1.0, 10.0, 100.0)  # C of logistic regression
    gammas: Settings = (0.1, 0.2, 0.4)  # of the SVC's kernel; its C is 10
    rates: Settings = (0.02,)  # learning rates of the towers
    steps: PositiveInt = 400  # optimizer steps
    groups: PositiveInt = 8  # groups of ten images in a step
    d_model: PositiveInt = 64  # features of a token in both towers, and of the space they share
    layers: PositiveInt = 3  # blocks of the picture tower; the text tower has one
    positions: PositiveFloat = 0.5  # standard deviation of the places of patches at the start (loud_positions.py)
    distortion: NonNegativeFloat = 0.5  # how much each image is stretched, sheared, moved and inked anew
    seeds: PositiveInt = 1  # runs of the towers

    def check(self) -> None:
        check_heads(self.d_model, HEADS)


@dataclass(frozen=True)
class Measured:
    """The search on the first half, and the accuracy on the second half with the setting that was chosen."""

    setting: float
    searched: dict[str, float]
    accuracies: list[float]
    interval: MeanInterval


@dataclass(frozen=True)
class Results:
    measured: dict[str, Measured]
    cosines: list[list[float]]  # mean cosine of each digit's pictures with each caption, towers of the first seed


Classifier = Callable[[Tensor], Tensor]  # images to digits


class InGroups(Contrast):
    """The mean of the losses of groups of ten: which of these ten captions belongs to which of these ten pictures?"""

    def forward(self, pictures: Tensor, tokens: Tensor) -> Tensor:
        encoded, said = self.towers(pictures, tokens)
        pairs = zip(encoded.split(TEN), said.split(TEN), strict=True)
        return torch.stack([self.loss(*pair) for pair in pairs]).mean()


def train(digits: Digits, config: Config, rate: float, seed: int, *, different: bool) -> TwoTowers:
    """Return two towers that have learnt from images and captions; nobody tells them that there are ten classes."""
    images, labels = digits
    generator, tokens, layers = torch.Generator().manual_seed(seed), caption_tokens(), config.layers
    vision = VisionConfig(picture=8, patch=2, channels=1, layers=layers, heads=HEADS, d_model=config.d_model)
    text = TextConfig(len(tokens), tokens.context, layers=1, heads=HEADS, d_model=config.d_model, end_token=0)
    towers = TwoTowers(vision, text, config.d_model, generator)
    torch.nn.init.normal_(towers.vision.position_embedding, std=config.positions, generator=generator)
    contrast = InGroups(towers, ContrastiveLoss())

    def batches() -> Iterator[PairBatch]:
        for rows, captions in groups(labels, config.groups, config.steps, generator, different=different):
            yield distort(as_input(images[rows.flatten()]), config.distortion, generator), tokens.encode(captions)

    steps = train_towers(contrast, batches(), steps=config.steps, rate=rate)
    for _ in tqdm(steps, total=config.steps, desc=f"rate {rate:g}, seed {seed}", leave=False):
        pass
    return contrast.towers.eval()


@torch.inference_mode()
def cosines(towers: TwoTowers, images: Tensor) -> Tensor:
    """Return the cosine of each image with the caption of each digit, (images, 10)."""
    said = towers.encode_texts(caption_tokens().encode(prompts()))
    return towers.encode_pictures(as_input(images)) @ said.mT


def by_towers(different: bool, config: Config) -> Callable[[Digits, float, int], Classifier]:
    """Return what trains towers and classifies by the nearest caption."""

    def fit(digits: Digits, rate: float, seed: int) -> Classifier:
        towers = train(digits, config, rate, seed, different=different)
        return lambda images: cosines(towers, images).argmax(dim=1)

    return fit


def by_sklearn(kind: str) -> Callable[[Digits, float, int], Classifier]:
    """Return what fits logistic regression, or an SVC."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    def fit(digits: Digits, setting: float, _: int) -> Classifier:
        model = LogisticRegression(C=setting, max_iter=5000) if kind == "logistic" else SVC(C=10, gamma=setting)
        model.fit(digits[0].flatten(1), digits[1])
        return lambda images: torch.from_numpy(model.predict(images.flatten(1)))

    return fit


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    keep_freed_memory()
    training, test = halves(load_digits())
    cut = len(training[1]) * 4 // 5
    fitted, validation = ((training[0][:cut], training[1][:cut]), (training[0][cut:], training[1][cut:]))
    ways = {
        "logistic regression": (config.inverse_penalties, 1, by_sklearn("logistic")),
        "SVC": (config.gammas, 1, by_sklearn("svc")),
        "towers, any ten": (config.rates, config.seeds, by_towers(False, config)),
        "towers, ten digits": (config.rates, config.seeds, by_towers(True, config)),
    }

    def measure(name: str) -> Measured:
        settings, runs, fit = ways[name]

        def accuracy(training: Digits, setting: float, seed: int, on: Digits) -> float:
            return (fit(training, setting, seed)(on[0]) == on[1]).double().mean().item()

        searched = {setting: accuracy(fitted, setting, config.seed + SEARCH_SEED, validation) for setting in settings}
        chosen = max(searched, key=searched.__getitem__)
        accuracies = [accuracy(training, chosen, config.seed + index, test) for index in range(runs)]
        interval = mean_interval(accuracies)
        print(f"{name} ({chosen:g}): {show_interval(*interval, '.1%')}")
        return Measured(chosen, {f"{setting:g}": found for setting, found in searched.items()}, accuracies, interval)

    measured = {name: measure(name) for name in ways}
    rate = measured["towers, ten digits"].setting
    found = cosines(train(training, config, rate, config.seed, different=True), test[0])
    return Results(measured, [found[test[1] == digit].mean(dim=0).tolist() for digit in range(10)])


def plot(results: Results) -> Figure:
    """Draw accuracies with intervals, and the mean cosine of pictures with captions."""
    figure, (left, right) = new_figure(9.0, 3.8, 1, 2)
    for place, (name, found) in enumerate(results.measured.items()):
        mean, half = found.interval
        left.errorbar(mean, -place, xerr=error_bars([half]), fmt="o", capsize=4, color=COLOURS[place])
        left.annotate(name, (mean, -place), xytext=(0, 8), textcoords="offset points", ha="center", fontsize=9)
    left.set(xlabel="accuracy on the second half", yticks=[], ylim=(0.6 - len(results.measured), 0.7))
    left.margins(x=0.25)
    shown = right.imshow(results.cosines, cmap="Blues")
    right.set(xlabel="caption: the handwritten digit ...", ylabel="picture", xticks=range(10), yticks=range(10))
    right.grid(visible=False)
    figure.colorbar(shown, ax=right, label="mean cosine")
    return figure


TOLERANCE = {
    "*": TRAINED, "*.searched*": TIMING, "*.setting": TIMING,
    "measured.logistic*": ROUNDING, "measured.SVC*": ROUNDING,
}  # fmt: skip

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
