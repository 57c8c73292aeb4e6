"""Which parts must learn: the projector alone, the encoder, the GPT, an adapter in it, all? And what is forgotten?

    uv run sprints/22_pictures_and_words/what_to_train.py
    uv run sprints/22_pictures_and_words/what_to_train.py --preset full
    uv run sprints/22_pictures_and_words/what_to_train.py --preset starts

Every arm has an encoder with a past, and parts that learn captions. Each has the same scenes, the same number of steps
and the same search of rates; the short default searches none. It shows that a projector alone cannot soon teach a
frozen GPT to speak of tables, and what the others forget; --preset full, where all of this ends.
Theory: notes/09_what_to_train.md
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure
from torch import nn
from tqdm import tqdm

from seeing.caption_runs import measure_captions
from seeing.captions import entropy, entropy_given_scene, pairs
from seeing.describing import Budget, caption_batches, learn
from seeing.drawing import pictures
from seeing.parts import STARTS, TRAINED_PARTS, Start, Trained, let_learn, make_encoder
from seeing.recipes import recipe_rows
from seeing.saying import in_batches, nats_a_text
from seeing.table_gpt import new_model
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TIMING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory
from shared.nn.pretrained import SHIPPED
from shared.nn.vision_config import VisionConfig
from shared.training.losses import evaluate_loss

SEARCH_SEED = 500  # no reported run has it
FULL = {
    "parts": TRAINED_PARTS, "encoder_steps": 400, "steps": 300, "factors": (0.4, 1.0, 2.5), "test": 500, "written": 200,
    "seeds": (0, 1, 2),
}  # fmt: skip
PRESETS = {"full": FULL, "starts": FULL | {"starts": STARTS, "parts": ("projector", "all")}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # the GPT: cookbook (the shipped model), gpt2, or a folder
    starts: Annotated[tuple[Start, ...], Different] = ("classified",)  # what the encoder has learnt before
    parts: Annotated[tuple[Trained, ...], Different] = ("projector", "lora", "all")  # what learns, beside the projector
    encoder_steps: PositiveInt = 100  # in which an encoder learns before
    encoder_batch: PositiveInt = 128  # scenes of these steps
    encoder_rate: PositiveFloat = 0.02  # of Muon in these steps
    patch: PositiveInt = 16  # pixels across a patch
    layers: PositiveInt = 2  # blocks of the encoder
    rank: PositiveInt = 8  # of the adapters
    steps: PositiveInt = 60  # in which captions are learnt
    search_steps: PositiveInt = 100  # of each trial of a rate
    factors: Annotated[tuple[PositiveFloat, ...], Different] = (1.0,)  # of both rates, all tried; one needs no trial
    learning_rate: PositiveFloat = 2e-3  # of AdamW
    muon_learning_rate: PositiveFloat = 0.02  # of Muon
    batch_size: PositiveInt = 64  # scenes in a step
    precision: Literal["auto", "bfloat16", "float32"] = "auto"  # of matrix products
    validation: PositiveInt = 200  # captions to choose a rate by
    test: PositiveInt = 100  # captions to compare by
    written: PositiveInt = 20  # of their scenes that captions are written of
    recipes: PositiveInt = 32  # to measure what is forgotten
    seeds: Seeds = (0,)  # of projectors, adapters and the order of scenes


@dataclass(frozen=True)
class Arm:
    """What one choice is worth."""

    start: str
    parts: str
    numbers: int
    factor: float
    at_edge: bool
    searched: dict[str, float]
    losses: list[float]
    loss: MeanInterval
    facts: dict[str, MeanInterval]
    recipes: MeanInterval


@dataclass(frozen=True)
class Results:
    entropy: float
    entropy_given_scene: float
    recipes_before: float
    arms: dict[str, Arm]


def train(
    config: Config, encoder: nn.Module, vision: VisionConfig, parts: Trained, factor: float, seed: int, steps: int
):
    """Return a model some of whose parts have learnt captions, its tokenizer, and how many numbers learnt."""
    generator = torch.Generator().manual_seed(seed)
    model, tokenizer = new_model(vision, generator, config.model)
    model.encoder.load_state_dict(encoder.state_dict())
    numbers = let_learn(model, parts, config.rank, generator)
    rates = (factor * config.learning_rate, factor * config.muon_learning_rate)
    batches = caption_batches(tokenizer, seed, config.batch_size)
    for _ in learn(model, batches, Budget(steps, *rates, config.precision)):
        pass
    return model.eval(), tokenizer, numbers


def measure(config: Config, encoder: nn.Module, vision: VisionConfig, start: Start, parts: Trained) -> Arm:
    """Search the rates of an arm, run it with every seed, and return what came of it."""
    searched = {}
    for factor in config.factors if len(config.factors) > 1 else ():
        model, tokenizer, _ = train(config, encoder, vision, parts, factor, SEARCH_SEED, config.search_steps)
        searched[factor] = nats_a_text(model, in_batches(pairs("validation", 0, config.validation), tokenizer))
    factor = min(searched, key=lambda factor: searched[factor]) if searched else config.factors[0]
    told, runs, recipes, numbers = pairs("test", 0, config.test), [], [], 0
    for seed in config.seeds:
        model, tokenizer, numbers = train(config, encoder, vision, parts, factor, config.seed + seed, config.steps)
        runs.append(measure_captions(model, tokenizer, told, pictures, config.written))
        recipes.append(evaluate_loss(model.gpt, recipe_rows(tokenizer, config.recipes))[0])
    losses = [found.loss for found in runs]
    arm = Arm(
        start, parts, numbers, factor, bool(searched) and factor in (min(searched), max(searched)),
        {f"{tried:g}": loss for tried, loss in searched.items()}, losses, mean_interval(losses),
        {fact: mean_interval([found.facts[fact] for found in runs]) for fact in runs[0].facts}, mean_interval(recipes),
    )  # fmt: skip
    tqdm.write(f"{start}, {parts}: {numbers:,} numbers, {show_interval(*arm.loss, '.3f')} nats a caption")
    return arm


def main(config: Config) -> Results:
    torch.set_flush_denormal(True)  # numbers close to zero are slow on a CPU
    keep_freed_memory()
    vision = VisionConfig(patch=config.patch, layers=config.layers)
    model, tokenizer = new_model(vision, torch.Generator().manual_seed(0), config.model)
    before = evaluate_loss(model.gpt, recipe_rows(tokenizer, config.recipes))[0]
    arms = {}
    for start in config.starts:
        sizes = (config.encoder_steps, config.encoder_batch, config.encoder_rate)
        encoder = make_encoder(start, vision, *sizes, tokenizer)
        for parts in tqdm(config.parts, desc=start):
            arms[f"{start}, {parts}"] = measure(config, encoder, vision, start, parts)
    return Results(entropy(), entropy_given_scene(), before, arms)


def plot(results: Results) -> Figure:
    """Draw the loss on captions and the loss on recipes of each arm."""
    figure, panels = new_figure(9.6, 0.9 + 0.36 * len(results.arms), columns=2)
    lines = (
        [(results.entropy, "blind", "C7"), (results.entropy_given_scene, "sees everything", "C2")],
        [(results.recipes_before, "before", "C7")],
    )
    for axes, marks in zip(panels, lines, strict=True):
        for place, name, colour in marks:
            axes.axvline(place, color=colour, linestyle="--", linewidth=1)
            axes.text(place, -0.75, name, color=colour, ha="center", fontsize=8)
        axes.set_ylim(len(results.arms) - 0.5, -0.5)
    for row, arm in enumerate(results.arms.values()):
        for axes, (mean, half) in zip(panels, (arm.loss, arm.recipes), strict=True):
            colour = f"C{STARTS.index(arm.start)}"
            axes.errorbar(mean, row, xerr=error_bars([half]), fmt="o", color=colour, capsize=3)
    panels[0].set_xscale("log")
    panels[0].set_xticks([5, 10, 20, 50, 100, 200], ["5", "10", "20", "50", "100", "200"], minor=False)
    panels[0].set_xticks([], minor=True)
    panels[0].set_xlim(4, max(20, 1.3 * max(arm.loss[0] for arm in results.arms.values())))
    panels[1].set_xlim(left=0)
    panels[0].set_yticks(range(len(results.arms)), list(results.arms))
    panels[1].set_yticks(range(len(results.arms)), [""] * len(results.arms))
    panels[0].set_xlabel("nats a caption, unseen scenes")
    panels[1].set_xlabel("nats per token, recipes")
    return figure


TOLERANCE = {"arms.*": TRAINED, **{f"arms.*.{name}": TIMING for name in ("factor", "at_edge")}}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
