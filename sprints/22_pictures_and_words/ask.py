"""What does it see? Questions about colour, count and relation, beside what can be answered without a picture.

    uv run sprints/22_pictures_and_words/ask.py
    uv run sprints/22_pictures_and_words/ask.py --preset seeds
    uv run sprints/22_pictures_and_words/ask.py --start runs/22_pictures_and_words/describe/table-gpt

The model that describes (describe.py) learns to answer, and is asked with another scene's picture before it, too. With
--preset seeds it learns longer, three times, and another model learns from grey pictures.
Theory: notes/08_saying_what_is_there.md
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from seeing.captions import pairs
from seeing.describing import Budget, Eyes, grey, learn, question_batches
from seeing.drawing import pictures
from seeing.questions import QUESTION_KINDS, blind_optimum, questions
from seeing.saying import accuracy, answers_by, in_batches, nats_a_text
from seeing.scenes import Scene
from seeing.table_gpt import TABLE_GPT, load_table_gpt
from seeing.vision_language import PictureReader
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device
from shared.nn.pretrained import load_tokenizer

Sight = Literal["seeing", "blind"]
SEES: dict[Sight, Eyes] = {"seeing": pictures, "blind": grey}
PRESETS = {"seeds": {"steps": 400, "seeds": (0, 1, 2), "sights": ("seeing", "blind")}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    start: Path = TABLE_GPT  # folder of the model that describes
    sights: Annotated[tuple[Sight, ...], Different] = ("seeing",)  # a blind model gets grey pictures, as many steps
    steps: PositiveInt = 250  # optimizer steps
    batch_size: PositiveInt = 96  # questions in a step, a third of each kind
    learning_rate: PositiveFloat = 1e-3  # of AdamW
    muon_learning_rate: PositiveFloat = 0.01  # of Muon
    precision: Literal["auto", "bfloat16", "float32"] = "auto"  # of matrix products
    test: PositiveInt = 500  # unseen questions of each kind
    captions: PositiveInt = 300  # to see whether describing is forgotten
    seeds: Seeds = (0,)  # of the questions


@dataclass(frozen=True)
class Kind:
    """What is answered right of one kind of question: the best without a picture, and by each model."""

    most_frequent: float
    shares: dict[str, MeanInterval]


@dataclass(frozen=True)
class Results:
    kinds: dict[str, Kind]
    captions_before: float
    captions_after: MeanInterval
    # questions, what the first model answers, and what is right
    samples: list[tuple[str, str, str]]


def shuffled(scenes: Sequence[Scene]) -> torch.Tensor:
    """Return the pictures of other scenes: each goes to the next one."""
    return pictures(scenes).roll(1, dims=0)


def train(config: Config, seed: int, sight: Sight) -> PictureReader:
    """Return a model that has learnt to answer."""
    model = load_table_gpt(config.start).to(pick_device(config.device))
    batches = question_batches(load_tokenizer(), seed, config.batch_size, SEES[sight])
    budget = Budget(config.steps, config.learning_rate, config.muon_learning_rate, config.precision)
    for _ in tqdm(learn(model, batches, budget), total=config.steps, desc=f"{sight}, seed {seed}"):
        pass
    return model.eval()


def main(config: Config) -> Results:
    torch.set_flush_denormal(True)  # numbers close to zero are slow on a CPU
    keep_freed_memory()
    tokenizer = load_tokenizer()
    told = in_batches(pairs("test", 0, config.captions), tokenizer)
    before = nats_a_text(load_table_gpt(config.start), told)
    asked = {kind: questions("test", kind, 0, config.test) for kind in QUESTION_KINDS}
    shares: dict[str, dict[str, list[float]]] = {kind: defaultdict(list) for kind in QUESTION_KINDS}
    after, samples = [], []
    for sight in config.sights:
        for seed in config.seeds:
            model = train(config, config.seed + seed, sight)
            eyes = {sight: SEES[sight]} | ({"shuffled": shuffled} if sight == "seeing" else {})
            for kind, those in asked.items():
                for name, see in eyes.items():
                    answers = answers_by(model, those, tokenizer, see)
                    shares[kind][name].append(accuracy(answers, those))
                    if name == "seeing" and len(after) == 0:
                        rows = zip(answers[:3], those, strict=False)
                        samples += [(question.text, answer, question.answer) for answer, (_, question) in rows]
            if sight == "seeing":
                after.append(nats_a_text(model, told))
    kinds = {
        kind: Kind(blind_optimum(kind), {name: mean_interval(found) for name, found in shares[kind].items()})
        for kind in QUESTION_KINDS
    }
    for kind, found in kinds.items():
        for name, share in found.shares.items():
            print(f"{kind}, {name}: {show_interval(*share, '.1%')}; most frequent answer {found.most_frequent:.1%}")
    print(f"captions: {before:.3f} nats before, {show_interval(*mean_interval(after), '.3f')} after")
    return Results(kinds, before, mean_interval(after), samples)


def plot(results: Results) -> Figure:
    """Draw the share of right answers of each kind of question, beside the most frequent answer's."""
    figure, axes = new_figure(8.0, 3.2)
    names = list(dict.fromkeys(name for kind in results.kinds.values() for name in kind.shares))
    for row, (kind, found) in enumerate(results.kinds.items()):
        axes.plot([found.most_frequent] * 2, [row - 0.35, row + 0.35], color="black", linewidth=1)
        for place, name in enumerate(names):
            mean, half = found.shares[name]
            y = row + 0.2 * (place - 1)
            axes.errorbar(mean, y, xerr=error_bars([half]), fmt="o", color=f"C{place}", capsize=3)
            if kind == next(iter(results.kinds)):
                axes.text(mean, y - 0.13, f"{name} ", ha="right", va="center", fontsize=8, color=f"C{place}")
    axes.text(results.kinds["colour"].most_frequent, -0.47, "most frequent answer", ha="left", fontsize=8)
    axes.axvline(1, color="C2", linestyle="--", linewidth=1)
    axes.set_yticks(range(len(results.kinds)), list(results.kinds))
    axes.set(xlabel="share of right answers (optimum: 1)", xlim=(0, 1.03), ylim=(len(results.kinds) - 0.4, -0.6))
    return figure


TOLERANCE = {"kinds.*": TRAINED, "captions_*": TRAINED, "samples.*": Tolerance(compared=False)}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
