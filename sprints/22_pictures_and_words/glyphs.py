"""Do two towers know a glyph in a font that they have never seen? Unicode names and pictures, both ways.

    uv run sprints/22_pictures_and_words/glyphs.py
    uv run sprints/22_pictures_and_words/glyphs.py --preset full
    uv run sprints/22_pictures_and_words/glyphs.py --preset undistorted

Trains on DejaVu Sans in four styles and on Serif in two. Two more styles of Serif are held out, and the whole family of
Sans Mono; the settings for one of these are chosen on the other. With the first 1,500 glyphs of each style and a short
training the towers are ahead on names that nobody had, and the nearest neighbour on the known ones; --preset full has
all glyphs, eight times the steps and five seeds. Theory: notes/11_glyphs_and_digits.md
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Annotated, Any

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from seeing.contrasting import Contrast, train_towers
from seeing.contrastive import ContrastiveLoss
from seeing.glyph_baselines import neighbours, predicted_words
from seeing.glyph_recall import Recalls, Scorer, best_possible, measure, meetings, worth
from seeing.glyph_study import Training, examined_glyphs, glyph_batches, training_glyphs
from seeing.glyphs import SIDE
from seeing.two_towers import TextConfig, TwoTowers
from shared.checks.intervals import MeanInterval, mean_interval
from shared.lab.compare import EXACT, TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Different, Fraction, NonNegativeFloat, PositiveFloat, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory
from shared.nn.vision_config import VisionConfig

TRAINED_ON = ("Sans", "Sans Oblique", "Sans Bold", "Sans Bold Oblique", "Serif", "Serif Italic")
SERIF, MONO = "unseen styles of Serif", "Sans Mono, an unseen family"
HELD_OUT = {SERIF: ("Serif Bold", "Serif Bold Italic"), MONO: ("Mono", "Mono Bold Oblique")}
PIXELS, WORDS, TOWERS = "nearest neighbour", "words from pixels", "two towers"
FULL: dict[str, Any] = {"most": None, "rates": (0.01, 0.02, 0.04), "steps": 2500, "seeds": 5}
PRESETS: dict[str, dict[str, Any]] = {"full": FULL, "undistorted": FULL | {"distortion": 0.0}}
HEADS, SEARCH_SEED = 4, 1000


@dataclass(frozen=True)
class Config(ScriptConfig):
    most: PositiveInt | None = 1500  # glyphs of a style, the first ones (in --preset full: all)
    held_out: Fraction = 0.05  # share of the names that no training glyph has
    blurs: Annotated[tuple[NonNegativeFloat, ...], Different] = (0.0, 1.0, 2.0)  # pixels; nearest neighbour chooses
    ridges: Annotated[tuple[PositiveFloat, ...], Different] = (0.1, 1.0, 10.0)  # ridge regression chooses
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (0.02,)  # learning rates; towers choose
    steps: PositiveInt = 300  # optimizer steps
    batch_size: AtLeastTwo = 256  # names in a step, all different
    alike: PositiveInt = 16  # of them that follow one another in the alphabet (1: all are drawn at random)
    d_model: PositiveInt = 64  # features of a token in both towers
    space: PositiveInt = 128  # features of the space they share
    layers: PositiveInt = 3  # blocks of each tower
    patch: PositiveInt = 8  # pixels on a side of a patch
    positions: PositiveFloat = 0.5  # standard deviation of the places of patches at the start (loud_positions.py)
    distortion: NonNegativeFloat = 0.3  # how much each training picture is stretched, sheared, moved and inked anew
    seeds: PositiveInt = 1  # runs of the towers

    def check(self) -> None:
        check_heads(self.d_model, HEADS)
        if SIDE % self.patch:
            raise ValueError(f"patches must fill the {SIDE} pixels of a side; got --patch {self.patch}")


@dataclass(frozen=True)
class HeldOut:
    """Styles that nobody trained on: counts of their glyphs, the best possible, what was chosen, and what it found."""

    known: int
    unknown: int
    seen: int
    foreign: int
    best: dict[str, float]
    settings: dict[str, float]
    found: dict[str, dict[str, MeanInterval]]


@dataclass(frozen=True)
class Results:
    training_glyphs: int
    training_names: int
    parts: int
    left_out: int
    parameters: int
    held_out: dict[str, HeldOut]
    searched: dict[str, dict[str, dict[str, float]]]


def make_towers(training: Training, config: Config, generator: torch.Generator) -> TwoTowers:
    """Return two towers that have learnt nothing."""
    layers, features = config.layers, config.d_model
    vision = VisionConfig(picture=SIDE, patch=config.patch, channels=1, layers=layers, heads=HEADS, d_model=features)
    tokens = training.tokens
    text = TextConfig(len(tokens), tokens.context, layers=layers, heads=HEADS, d_model=features, end_token=0)
    towers = TwoTowers(vision, text, config.space, generator)
    torch.nn.init.normal_(towers.vision.position_embedding, std=config.positions, generator=generator)
    return towers


def train(training: Training, config: Config, rate: float, seed: int) -> TwoTowers:
    """Return two towers that have learnt from the training glyphs."""
    generator = torch.Generator().manual_seed(seed)
    contrast = Contrast(make_towers(training, config, generator), ContrastiveLoss())
    pairs = glyph_batches(training, config.batch_size, config.alike, config.distortion, generator)
    steps = train_towers(contrast, pairs, steps=config.steps, rate=rate)
    for _ in tqdm(steps, total=config.steps, desc=f"rate {rate:g}, seed {seed}", leave=False):
        pass
    return contrast.towers.eval()


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    keep_freed_memory()
    training = training_glyphs(TRAINED_ON, config.held_out, config.most)
    asked = {name: [examined_glyphs(style, training, config.most) for style in HELD_OUT[name]] for name in HELD_OUT}
    print(f"{len(training.glyphs):,} training glyphs with {len(training.names):,} names")
    # Settings to choose from, runs (0: no seed changes anything), and what scores.
    ways: dict[str, tuple[Sequence[float], int, Callable[[float, int], Scorer]]] = {
        PIXELS: (config.blurs, 0, lambda blur, _: partial(neighbours, training, blur)),
        WORDS: (config.ridges, 0, lambda ridge, _: predicted_words(training, ridge)),
        TOWERS: (
            config.rates, config.seeds,
            lambda rate, seed: partial(meetings, training.tokens, train(training, config, rate, seed)),
        ),
    }  # fmt: skip

    @cache
    def measured(way: str, setting: float, seed: int) -> dict[str, Recalls]:
        scorer = ways[way][2](setting, seed)
        return {name: measure(styles, scorer) for name, styles in asked.items()}

    searched = {
        way: {f"{setting:g}": {name: worth(found) for name, found in measured(way, setting, SEARCH_SEED).items()}
              for setting in settings}
        for way, (settings, _, _) in ways.items() if len(settings) > 1
    }  # fmt: skip

    def found_in(name: str) -> HeldOut:
        other = next(another for another in asked if another != name)
        chosen = {
            way: max(settings, key=lambda setting: searched[way][f"{setting:g}"][other])
            if way in searched
            else settings[0]
            for way, (settings, _, _) in ways.items()
        }
        found = {}
        for way, (_, runs, _) in ways.items():
            seeds = [config.seed + run for run in range(runs)] if runs else [SEARCH_SEED]
            each = [measured(way, chosen[way], seed)[name] for seed in seeds]
            found[way] = {what: mean_interval([recalls[what] for recalls in each]) for what in each[0]}
            print(f"{name}, {way}: " + ", ".join(f"{what} {mean:.1%}" for what, (mean, _) in found[way].items()))
        known, unknown = (
            sum(len(part) for part in parts)
            for parts in ([s.known for s in asked[name]], [s.unknown for s in asked[name]])
        )
        return HeldOut(
            known, unknown, sum(style.seen for style in asked[name]), sum(style.foreign for style in asked[name]),
            best_possible(asked[name]), chosen, found,
        )  # fmt: skip

    parameters = sum(weight.numel() for weight in make_towers(training, config, torch.Generator()).parameters())
    return Results(
        len(training.glyphs), len(training.names), len(training.tokens) - 1, training.glyphs.left_out, parameters,
        {name: found_in(name) for name in asked}, searched,
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw recall@1 of known names both ways, for both kinds of styles, with the best possible as a line."""
    figure, axes = new_figure(9.0, 3.6, 1, 2 * len(results.held_out))
    panels = [(name, way) for name in results.held_out for way in ("name to picture", "picture to name")]
    for axis, (name, way) in zip(axes, panels, strict=True):
        styles = results.held_out[name]
        for place, found in enumerate(styles.found.values()):
            for k, width, shade in ((10, 0.8, 0.35), (1, 0.5, 1.0)):
                mean, half = found[f"known: {way} @{k}"]
                axis.bar(place, mean, width, color=COLOURS[place], alpha=shade, yerr=half, capsize=3)
        axis.axhline(styles.best[f"known: {way} @1"], color="black", linestyle="--", linewidth=1)
        axis.set_xticks(range(len(styles.found)), [method.replace(" ", "\n", 1) for method in styles.found], fontsize=8)
        axis.set(title=f"{name}\n{way}", ylim=(0, 1.02))
        axis.title.set_fontsize(9)
        axis.grid(axis="x", visible=False)
    axes[0].set_ylabel("recall @1 (narrow) and @10 (wide)")
    return figure


TOLERANCE = {"*": EXACT, "held_out.*.found*": TRAINED, "held_out.*.settings*": TIMING, "searched*": TIMING}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
