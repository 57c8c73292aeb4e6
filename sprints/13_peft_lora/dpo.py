"""What does DPO do to right and wrong answers, and what does beta decide? Beside more supervised steps.

    uv run sprints/13_peft_lora/dpo.py
    uv run sprints/13_peft_lora/dpo.py --preset full
    uv run sprints/13_peft_lora/dpo.py --preset seeds
    uv run sprints/13_peft_lora/dpo.py --preset smollm2

A model learns to answer questions about recipes (`instruction_tuning.py`), and its adapter is merged: that is the
reference. Then a new adapter learns from pairs of a right and a wrong answer, with several betas, and another one from
the right answers alone. All have equally many steps and one learning rate. Without a preset these are few steps at a
high rate: chosen answers fall, and rejected ones further; how far with which beta, longer runs tell: notes/10_dpo.md
"""

import copy
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from tqdm import tqdm

from adapter_study.answerers import add_adapter, learn_to_answer
from adapter_study.answering import AnswerScores, AskedChat, asked_chats, score_answers, tune_on_chats
from adapter_study.base_model import loss_on
from adapter_study.model_defaults import rate_of
from adapter_study.preferences import PairScores, score_pairs, tune_on_pairs
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.pretrained import SHIPPED
from shared.text.books import BookPart, recipe_part
from shared.text.cookbook import Cookbook

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel

SUPERVISED = "right answers alone"
OF_PAIRS = 10_000  # recipes of training from this one on are for pairs; those before teach to answer
LONGER = {"batch_size": 8, "learning_rate": None, "every": 10, "voice": 32}
PRESETS = {
    "full": LONGER | {"pairs": 400, "warm_steps": 150, "steps": 40, "asked": 60},
    "seeds": LONGER | {"pairs": 1600, "warm_steps": 400, "steps": 200, "asked": 500, "seeds": 3},
    "smollm2": LONGER | {"model": "smollm2", "warm_steps": 60, "steps": 40, "batch_size": 4, "pairs": 160, "asked": 60}
    | {"voice": 8, "betas": (0.1,), "every": 20},
}  # fmt: skip
TOLERANCE = {
    "reference.*": TRAINED, "ways.*": TRAINED, "*exact*": Tolerance(absolute=0.3), "*curve.*": Tolerance(absolute=20.0),
    "*by_kind.*": Tolerance(absolute=0.5), "*pairs.*": Tolerance(relative=0.5, absolute=1.0),
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), smollm2, a folder, or a name of the hub
    betas: Annotated[tuple[PositiveFloat, ...], Field(min_length=1), Different] = (0.05, 0.5)  # of DPO
    pairs: PositiveInt = 160  # recipes with a question each, whose right and wrong answer are a pair
    warm_steps: PositiveInt = 80  # steps on answers before the pairs come
    steps: PositiveInt = 24  # steps on pairs, or on their right answers
    batch_size: PositiveInt = 4  # pairs of a step
    targets: tuple[str, ...] | None = None  # of LoRA: attention, linear, ends or names (None: linear; small: ends, too)
    rank: PositiveInt = 8  # rank of LoRA; alpha is twice as large
    learning_rate: PositiveFloat | None = 0.006  # on pairs (None: a tenth of that of LoRA on answers, by size)
    asked: PositiveInt = 32  # questions that test, and pairs that are watched
    every: PositiveInt = 8  # steps between two looks at the pairs
    voice: PositiveInt = 16  # recipes of the first voice, to measure what is lost of writing recipes
    seeds: PositiveInt = 1  # runs of each way, from --seed on; the reference is one

    def check(self) -> None:
        if self.model != SHIPPED and self.learning_rate == Config.learning_rate:
            raise ValueError(f"--learning-rate {self.learning_rate:g} is for the shipped model: take another, or None")


@dataclass(frozen=True)
class WayResult:
    """What came of a way.

    Args:
        runs: test scores of each seed; exact, probability and first_voice (nats per token of recipes) are means.
        pairs: what became of the test pairs, for each seed; rewards with the beta of the way (1 for none).
        curve_steps, curve: the validation pairs during training, first seed.
    """

    runs: list[AnswerScores]
    exact: float
    probability: float
    pairs: list[PairScores]
    first_voice: float
    curve_steps: list[int]
    curve: list[PairScores]


@dataclass(frozen=True)
class Results:
    learning_rate: float
    reference: AnswerScores
    first_voice: float
    ways: dict[str, WayResult]


@dataclass(frozen=True)
class _Material:
    reference: "PreTrainedModel"
    pairs: list[AskedChat]
    validation: list[AskedChat]
    test: list[AskedChat]
    first_voice: BookPart
    learning_rate: float


def prepare_material(config: Config) -> _Material:
    """Return the reference and the texts."""
    device = pick_device(config.device)
    reference, tokenizer = learn_to_answer(
        config.model, device, config.seed, targets=config.targets, rank=config.rank, steps=config.warm_steps,
        batch_size=config.batch_size,
    )  # fmt: skip
    return _Material(
        reference, pairs=asked_chats(tokenizer, reference, "train", OF_PAIRS, config.pairs),
        validation=asked_chats(tokenizer, reference, "validation", 0, config.asked),
        test=asked_chats(tokenizer, reference, "test", 0, config.asked),
        first_voice=recipe_part(Cookbook(), "validation", config.voice, tokenizer),
        learning_rate=config.learning_rate or rate_of(reference, "lora") / 10,
    )  # fmt: skip


def learn(
    model: "PreTrainedModel", beta: float | None, config: Config, material: _Material, generator: torch.Generator
) -> Iterator[tuple[int, float]]:
    """Train on pairs with a beta, or without one on their right answers; yield as `train_steps` does."""
    learn_from = (
        partial(tune_on_chats, model, [pair.right for pair in material.pairs], "answers") if beta is None
        else partial(tune_on_pairs, model, material.pairs, beta)
    )  # fmt: skip
    return learn_from(
        steps=config.steps, batch_size=config.batch_size, learning_rate=material.learning_rate, generator=generator
    )


def try_way(name: str, beta: float | None, config: Config, material: _Material) -> WayResult:
    """Run a way with each seed from the reference on, and test it."""
    runs, pairs, voices, steps, curve = [], [], [], [], []
    for seed in range(config.seed, config.seed + config.seeds):
        generator = seed_everything(seed)
        model = add_adapter(copy.deepcopy(material.reference), config.targets, config.rank, generator)
        trained = learn(model, beta, config, material, generator)
        for step, loss in (bar := tqdm(trained, total=config.steps, unit="step", desc=name)):
            bar.set_postfix(loss=f"{loss:.3f}")
            if seed == config.seed and (step % config.every == 0 or step == config.steps):
                steps.append(step)
                curve.append(score_pairs(model, material.validation, beta or 1.0))
        runs.append(score_answers(model, material.test))
        pairs.append(score_pairs(model, material.test, beta or 1.0))
        voices.append(loss_on(material.first_voice, model))
    result = WayResult(
        runs=runs, exact=statistics.mean(each.exact for each in runs),
        probability=statistics.mean(each.probability for each in runs), pairs=pairs,
        first_voice=statistics.mean(voices), curve_steps=steps, curve=curve,
    )  # fmt: skip
    print(f"{name:19s} exact {result.exact:.1%}, probability {result.probability:.3f}, {pairs[0]}")
    return result


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)
    material = prepare_material(config)
    before, voice = score_answers(material.reference, material.test), loss_on(material.first_voice, material.reference)
    print(f"reference           exact {before.exact:.1%}, probability {before.probability:.3f}")
    ways = {SUPERVISED: try_way(SUPERVISED, None, config, material)}
    for beta in config.betas:
        ways[f"DPO, beta {beta:g}"] = try_way(f"DPO, beta {beta:g}", beta, config, material)
    return Results(material.learning_rate, before, voice, ways)


def plot(results: Results) -> Figure:
    """Draw how far right and wrong answers have moved from the reference, a panel for each way."""
    figure, _ = new_figure(8.4, 3.4, columns=len(results.ways))
    for axes, (name, way) in zip(figure.axes, results.ways.items(), strict=True):
        for answer, colour in (("chosen", COLOURS[2]), ("rejected", COLOURS[1])):
            moved = [0.0, *(vars(pair)[answer] for pair in way.curve)]
            axes.plot([0, *way.curve_steps], moved, marker="o", color=colour, label=answer)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.set(title=name, xlabel="steps")
    limits = [limit for axes in figure.axes for limit in axes.get_ylim()]
    for axes in figure.axes:
        axes.set_ylim(min(limits), max(limits))
    figure.axes[0].legend()
    figure.axes[0].set_ylabel("log-probability minus the reference's, nats")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
