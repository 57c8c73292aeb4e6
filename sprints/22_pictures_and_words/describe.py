"""Can a language model say what is in a picture? Its loss stands between two entropies that are known exactly.

    uv run sprints/22_pictures_and_words/describe.py
    uv run sprints/22_pictures_and_words/describe.py --preset seeds

A vision transformer, a projector and the shipped GPT learn captions of scenes that are new in every step. A blind model
can reach H(caption), one that sees everything H(caption | scene). Theory: notes/08_saying_what_is_there.md
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from seeing.caption_runs import Said, measure_captions, over_seeds, show_said
from seeing.captions import entropy, entropy_given_scene, pairs
from seeing.describing import Budget, caption_batches, grey, learn
from seeing.drawing import pictures
from seeing.facts import CHANCE
from seeing.saying import in_batches, nats_a_text
from seeing.table_gpt import TABLE_GPT, Way, load_table_gpt, new_model, save_table_gpt
from seeing.vision_language import PictureReader
from shared.checks.intervals import error_bars
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, Seeds, check_heads
from shared.lab.run import run, run_folder
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.pretrained import SHIPPED
from shared.nn.vision_config import VisionConfig

Sight = Literal["seeing", "blind"]
SEES = {"seeing": pictures, "blind": grey}
PRESETS = {
    # What is recorded, and shipped as data/models/table-gpt; the defaults stop early, far above the optimum.
    "seeds": {"seeds": (0, 1, 2), "steps": 3000},
    # A blind model has nothing left to learn after a fifth of the steps.
    "blind": {"seeds": (0, 1, 2), "steps": 600, "sights": ("blind",)},
    # As ViT begins: positions that are much weaker than the patches.
    "weak_positions": {"seeds": (0, 1, 2), "steps": 600, "positions": 0.02},
    "beside": {"seeds": (0, 1, 2), "steps": 3000, "way": "beside"},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # the GPT: cookbook (the shipped model), gpt2, or a folder
    way: Way = "before"  # pictures stand before the words, or gated blocks look at them beside a frozen GPT
    sights: Annotated[tuple[Sight, ...], Different] = ("seeing",)  # a blind model gets grey pictures, as many steps
    patch: PositiveInt = 16  # pixels across a patch; the table has places of 16
    layers: PositiveInt = 2  # blocks of the encoder
    d_model: PositiveInt = 128  # its features of a patch
    heads: PositiveInt = 4  # its attention heads
    positions: PositiveFloat = 0.5  # standard deviation of its first positions; ViT's is 0.02
    steps: PositiveInt = 600  # optimizer steps
    batch_size: PositiveInt = 64  # scenes in a step, all of them new
    learning_rate: PositiveFloat = 2e-3  # of AdamW, for embeddings, gains and the projector
    muon_learning_rate: PositiveFloat = 0.02  # of Muon, for the matrices of the blocks
    precision: Literal["auto", "bfloat16", "float32"] = "auto"  # of matrix products
    every: PositiveInt = 100  # steps from one look at the validation captions to the next one
    validation: PositiveInt = 200  # scenes for these looks
    test: PositiveInt = 1000  # unseen scenes for the loss at the end
    written: PositiveInt = 300  # of them that captions are written of
    seeds: Seeds = (0,)  # of scenes and weights

    def check(self) -> None:
        check_heads(self.d_model, self.heads)


@dataclass(frozen=True)
class Results:
    entropy: float
    entropy_given_scene: float
    parameters: int
    said: dict[str, Said]
    chance: dict[str, float]
    # Of each seeing model, nats of a validation caption by the steps done.
    curves: list[list[tuple[int, float]]]
    # What the first one writes of some pictures, and a caption that the world has for them.
    samples: list[tuple[str, str]]
    shipped_loss: float | None  # of what was written, its weights in float16


def train(config: Config, seed: int, sight: Sight) -> tuple[PictureReader, Any, list[tuple[int, float]]]:
    """Return a trained model, its tokenizer, and its losses on validation captions by the steps done."""
    vision = VisionConfig(patch=config.patch, layers=config.layers, heads=config.heads, d_model=config.d_model)
    model, tokenizer = new_model(vision, seed_everything(seed), config.model, config.way, config.positions)
    model = model.to(pick_device(config.device))
    held_out = in_batches(pairs("validation", 0, config.validation), tokenizer, SEES[sight])
    batches = caption_batches(tokenizer, seed, config.batch_size, SEES[sight])
    budget = Budget(config.steps, config.learning_rate, config.muon_learning_rate, config.precision)
    steps, curve = learn(model, batches, budget), []
    for step, _ in tqdm(steps, total=config.steps, desc=f"{sight}, seed {seed}"):
        if step % config.every == 0 or step == config.steps:
            curve.append((step, nats_a_text(model, held_out)))
            tqdm.write(f"step {step:5d}  {curve[-1][1]:.3f} nats a caption")
    return model.eval(), tokenizer, curve


def main(config: Config) -> Results:
    torch.set_flush_denormal(True)  # numbers close to zero are slow on a CPU
    keep_freed_memory()
    folder = TABLE_GPT if config.record == "seeds" else run_folder(config, __file__) / TABLE_GPT.name
    told, curves, samples, said = pairs("test", 0, config.test), [], [], {}
    shipped_loss, parameters = None, 0
    for sight in config.sights:
        runs = []
        for seed in config.seeds:
            model, tokenizer, curve = train(config, config.seed + seed, sight)
            if sight == "seeing":
                curves.append(curve)
            runs.append(measure_captions(model, tokenizer, told, SEES[sight], config.written))
            if sight == "seeing" and not samples:
                parameters = sum(weight.numel() for weight in model.parameters())
                samples = [(text, caption) for text, (_, caption) in zip(runs[0].texts[:6], told, strict=False)]
                if config.way == "before":
                    save_table_gpt(model, folder)
                    shipped_loss = nats_a_text(load_table_gpt(folder), in_batches(told, tokenizer))
        said[sight] = over_seeds(runs)
        print(show_said(sight, said[sight]))
    for text, caption in samples:
        print(f"  {text}   ({caption})")
    return Results(entropy(), entropy_given_scene(), parameters, said, CHANCE, curves, samples, shipped_loss)


def plot(results: Results) -> Figure:
    """Draw the loss by steps between the two entropies, and the facts that are right, each beside chance."""
    figure, (left, right) = new_figure(9.6, 3.9, columns=2)
    for curve in results.curves:
        left.plot(*zip(*curve, strict=True), color="C0", marker="o", markersize=3, linewidth=1)
    last = max((step for curve in results.curves for step, _ in curve), default=1)
    for height, name, colour in (
        (results.entropy, "H(caption): blind", "C7"),
        (results.entropy_given_scene, "H(caption | scene): sees everything", "C2"),
    ):
        left.axhline(height, color=colour, linestyle="--", linewidth=1)
        left.text(last, height + 0.2, name, ha="right", fontsize=8)
    if (blind := results.said.get("blind")) is not None:
        left.plot([last] * len(blind.losses), blind.losses, "x", color="C1")
        left.text(
            last,
            min(blind.loss[0], results.entropy) - 0.9,
            "blind models, at the end ",
            color="C1",
            ha="right",
            fontsize=8,
        )
    left.set(xlabel="steps", ylabel="nats a caption, unseen scenes", ylim=(0, 1.25 * results.entropy))
    facts = list(results.chance)
    shown = {}
    if (seeing := results.said.get("seeing")) is not None:
        shown |= {"its own picture": seeing.facts, "another one's": seeing.facts_of_others}
    if blind is not None:
        shown["blind model"] = blind.facts
    for row, (name, shares) in enumerate(shown.items()):
        places = [place + 0.2 * (row - 1) for place in range(len(facts))]
        means, halves = [shares[fact][0] for fact in facts], [shares[fact][1] for fact in facts]
        right.errorbar(means, places, xerr=error_bars(halves), fmt="o", color=f"C{row}", capsize=3, label=name)
    for place, fact in enumerate(facts):
        chance = results.chance[fact]
        right.plot([chance, chance], [place - 0.35, place + 0.35], color="black", linewidth=1)
    right.plot([], [], color="black", linewidth=1, label="chance")
    right.set_yticks(range(len(facts)), facts)
    right.set(xlim=(-0.03, 1.03), xlabel="share of statements that are right", ylim=(len(facts) - 0.5, -0.5))
    figure.legend(loc="outside upper right", ncols=4, fontsize=8)
    return figure


# What a model writes turns with the last digit of a logit; how often it is right is compared.
TOLERANCE = {"said.*": TRAINED, "curves.*": TRAINED, "shipped_loss": TRAINED, "samples.*": Tolerance(compared=False)}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
