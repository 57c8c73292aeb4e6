"""What does a training look like in which the caption sees itself? Its loss is too good: below what is possible.

    uv run sprints/22_pictures_and_words/leaks.py
    uv run sprints/22_pictures_and_words/leaks.py --preset full

The shipped GPT learns to describe tables, each time with another fault in mask or labels, and no error is raised. No
model can have a smaller loss than H(caption | scene). Then positions and padding of the right one are made wrong. A
training with a padding mask alone is so short here that it is too good beside the right one only; in --preset full it
is below that floor, and all faults are there. Theory: notes/10_leaks_and_places.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from seeing.caption_runs import measure_captions
from seeing.captions import entropy, entropy_given_scene, log_probability, pairs
from seeing.describing import Told, caption_batches, end_of
from seeing.drawing import pictures
from seeing.leaking import FAULTS, Fault, faulty_loss
from seeing.saying import in_batches
from seeing.table_gpt import new_model
from seeing.vision_language import VisionLanguageModel
from seeing.wrong_places import by_padding, by_positions
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, seed_everything
from shared.nn.vision_config import VisionConfig
from shared.text.tokenizers import encode_texts
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

RIGHT: Fault = "as it must be"
PRESETS = {
    "full": {"faults": FAULTS, "steps": 200, "batch_size": 32, "test": 300, "prompts": 60, "seeds": (0, 1, 2)},
}
LAYERS, D_MODEL, PATCH = 2, 96, 16  # of the encoder


@dataclass(frozen=True)
class Config(ScriptConfig):
    # What is trained, each from the same start.
    faults: Annotated[tuple[Fault, ...], Different] = (RIGHT, "padding mask alone", "labels not shifted")
    steps: PositiveInt = 100  # optimizer steps
    batch_size: PositiveInt = 16  # scenes in a step, all of them new
    learning_rate: PositiveFloat = 2e-3  # of AdamW
    muon_learning_rate: PositiveFloat = 0.02  # of Muon, for the matrices of the blocks
    test: PositiveInt = 100  # unseen scenes with a caption each
    prompts: PositiveInt = 20  # of them whose captions are begun, to be written on
    new_tokens: PositiveInt = 12  # that are written behind each of these
    seeds: Seeds = (0,)  # of scenes and weights


@dataclass(frozen=True)
class Trained:
    """Nats a caption as the training computes them, and computed rightly; facts that are right in what it writes."""

    logged: MeanInterval
    honest: MeanInterval
    facts: dict[str, MeanInterval]
    written: str


@dataclass(frozen=True)
class Results:
    entropy: float
    floor: float
    floor_of_these: float  # the mean of -log P(caption | scene) of the captions that are measured
    faults: dict[str, Trained]
    positions: dict[str, MeanInterval]  # nats a caption
    paddings: dict[str, MeanInterval]  # share of tokens that are written as if each prompt were alone


def train(config: Config, fault: Fault, seed: int) -> tuple[VisionLanguageModel, "PreTrainedTokenizerBase"]:
    """Return a model that was trained with a fault, and its tokenizer."""
    model, tokenizer = new_model(VisionConfig(patch=PATCH, layers=LAYERS, d_model=D_MODEL), seed_everything(seed))
    assert isinstance(model, VisionLanguageModel)
    optimizers = make_optimizers(
        model, learning_rate=config.learning_rate, muon_learning_rate=config.muon_learning_rate
    )
    steps = train_steps(
        model, caption_batches(tokenizer, seed, config.batch_size), loss_function=faulty_loss(fault),
        optimizers=optimizers, steps=config.steps,
        schedule=partial(warmup_linear, steps=config.steps, warmup=20),
    )  # fmt: skip
    for _ in tqdm(steps, f"{fault}, seed {seed}", config.steps, leave=False):
        pass
    return model.eval(), tokenizer


@torch.no_grad()
def logged_loss(model: VisionLanguageModel, fault: Fault, told: Told, tokenizer: "PreTrainedTokenizerBase") -> float:
    """Return nats a caption as the training with a fault computes them."""
    batches = in_batches(told, tokenizer)
    return sum(faulty_loss(fault)(model, batch)[0].item() for batch in batches) / len(told)


def begun(told: Told, tokenizer: "PreTrainedTokenizerBase") -> list[list[int]]:
    """Return the end token and the first 0, 1, 2 or 3 tokens of each caption: prompts of four lengths."""
    texts = encode_texts([text for _, text in told], tokenizer)
    return [[end_of(tokenizer), *text[: number % 4]] for number, text in enumerate(texts)]


def main(config: Config) -> Results:
    keep_freed_memory()
    told = pairs("test", 0, config.test)
    runs: dict[str, list[tuple[float, float, dict[str, float], str]]] = {}
    places: list[dict[str, float]] = []
    paddings: list[dict[str, float]] = []
    for fault in config.faults:
        for seed in config.seeds:
            model, tokenizer = train(config, fault, seed)
            found = measure_captions(model, tokenizer, told, pictures, config.prompts)
            logged = logged_loss(model, fault, told, tokenizer)
            runs.setdefault(fault, []).append((logged, found.loss, found.facts, found.texts[0]))
            if fault == RIGHT:
                places.append(by_positions(model, in_batches(told, tokenizer)))
                seen = pictures([scene for scene, _ in told[: config.prompts]])
                prompts = begun(told[: config.prompts], tokenizer)
                paddings.append(by_padding(model, seen, prompts, config.new_tokens))
    faults = {fault: summary(found) for fault, found in runs.items()}
    floor_of_these = -sum(log_probability(text, scene) for scene, text in told) / len(told)
    print(f"H(caption) {entropy():.2f}, H(caption | scene) {entropy_given_scene():.2f}, of these {floor_of_these:.2f}")
    for fault, trained in faults.items():
        logged, honest = (show_interval(*loss, ".2f") for loss in (trained.logged, trained.honest))
        print(f"{fault}: {logged} nats a caption as logged, {honest} as it is; it writes {trained.written!r}")
    positions, padded = means(places), means(paddings)
    print("positions: " + ", ".join(f"{name} {mean:.2f}" for name, (mean, _) in positions.items()))
    print("written as if alone: " + ", ".join(f"{name} {mean:.1%}" for name, (mean, _) in padded.items()))
    return Results(entropy(), entropy_given_scene(), floor_of_these, faults, positions, padded)


def summary(found: list[tuple[float, float, dict[str, float], str]]) -> Trained:
    """Return the runs of one fault as one."""
    logged, honest, facts, written = zip(*found, strict=True)
    return Trained(mean_interval(logged), mean_interval(honest), means(facts), written[0])


def means(found: Sequence[dict[str, float]]) -> dict[str, MeanInterval]:
    """Return the mean of each figure over runs, with its interval."""
    return {name: mean_interval([run[name] for run in found]) for name in found[0]} if found else {}


def plot(results: Results) -> Figure:
    """Draw what each training believes its loss to be, beside what it is, and the floor."""
    figure, (left, right) = new_figure(10.5, 4.2, columns=2)
    names = list(results.faults)
    for row, trained in enumerate(results.faults.values()):
        for loss, colour, marker in ((trained.logged, COLOURS[3], "o"), (trained.honest, COLOURS[0], "s")):
            left.errorbar(loss[0], row, xerr=error_bars([loss[1]])[0], fmt=marker, color=colour, capsize=3)
            left.annotate(f"{loss[0]:.1f}", (loss[0], row), xytext=(0, 8), textcoords="offset points", ha="center")
    left.axvspan(-1, results.floor, color="0.9")
    left.axvline(results.floor, color="0.4", linewidth=1)
    left.text(results.floor, -0.75, "H(caption | scene)", ha="center", fontsize=8)
    left.plot([], [], "o", color=COLOURS[3], label="as the training logs it")
    left.plot([], [], "s", color=COLOURS[0], label="computed rightly")
    left.set_yticks(range(len(names)), names)
    left.set_xscale("symlog", linthresh=10, linscale=2)  # some are a hundred times the floor
    left.set_xticks([0, 2, 5, 10, 100, 1000], [0, 2, 5, 10, 100, 1000])
    left.set(xlabel="nats a caption", xlim=(-1, 1000), ylim=(len(names) - 0.4, -1))
    left.legend(fontsize=8, loc="upper right")
    kinds = list(results.positions)
    right.barh(range(len(kinds)), [mean for mean, _ in results.positions.values()], color=COLOURS[0], height=0.6)
    for row, (mean, _) in enumerate(results.positions.values()):
        right.annotate(f"{mean:.1f}", (mean, row), xytext=(4, -3), textcoords="offset points")
    right.set_yticks(range(len(kinds)), kinds)
    right.set(xlabel="nats a caption of the right model", ylim=(len(kinds) - 0.4, -0.6))
    right.margins(x=0.15)
    return figure


TOLERANCE = {"faults.*": TRAINED, "positions.*": TRAINED, "paddings.*": Tolerance(absolute=0.1)}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
