"""What does the loss have to score, so that a model learns to answer, and to stop? Three ways, one budget.

    uv run sprints/13_peft_lora/instruction_tuning.py
    uv run sprints/13_peft_lora/instruction_tuning.py --preset full
    uv run sprints/13_peft_lora/instruction_tuning.py --preset seeds
    uv run sprints/13_peft_lora/instruction_tuning.py --preset smollm2

A chat holds a recipe and questions that it answers. LoRA learns from the same chats for equally many steps, and scores
the answers alone, the whole text, or the answers without the token that ends a turn. Questions about unseen recipes are
counted as right if the greedy answer is exact. Without a preset 50 questions test each way: enough to see which one
never stops, too few to order the other two. Theory: notes/09_instruction_tuning.md
"""

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, get_args

import torch
from matplotlib.figure import Figure
from pydantic import Field
from tqdm import tqdm

from adapter_study.answerers import add_adapter, load_answerer
from adapter_study.answering import (
    AnswerScores,
    AskedChat,
    asked_chats,
    score_answers,
    training_chats,
    tune_on_chats,
    write_answer,
)
from adapter_study.base_model import load_base
from adapter_study.chat_turns import Chat, Scored, chat_batch
from adapter_study.model_defaults import rate_of
from adapter_study.rate_search import search_rate
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.nn.pretrained import SHIPPED

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

WAYS: tuple[Scored, ...] = get_args(Scored)
PRESETS = {
    "full": {"steps": 150, "asked": 100, "every": 30},
    "seeds": {"steps": 400, "rates": (3e-3, 1e-2, 3e-2), "asked": 500, "every": 30, "seeds": 3},
    "smollm2": {"model": "smollm2", "steps": 100, "batch_size": 4, "questions": 3, "asked": 100, "every": 50},
}
TOLERANCE = {
    "ways.*": TRAINED,
    "ways.*.shares.*": Tolerance(absolute=0.1),
    "ways.*.runs.*": Tolerance(absolute=0.3),
    "ways.*.curve*": Tolerance(absolute=0.3),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # cookbook (the shipped model), smollm2, a folder, or a name of the hub
    ways: Annotated[tuple[Scored, ...], Field(min_length=1), Different] = WAYS  # what the loss scores
    recipes: PositiveInt = 2000  # recipes of training, each a chat
    questions: PositiveInt = 2  # questions of a chat
    steps: PositiveInt = 48  # optimizer steps
    batch_size: PositiveInt = 8  # chats of a step
    targets: tuple[str, ...] | None = None  # of LoRA: attention, linear, ends or names (None: linear; small: ends, too)
    rank: PositiveInt = 8  # rank of LoRA; alpha is twice as large
    # learning rates, of which validation chooses (None: one, by size)
    rates: Annotated[tuple[PositiveFloat, ...], Field(min_length=1)] | None = None
    asked: PositiveInt = 50  # questions that validate, and as many that test
    every: PositiveInt = 24  # steps between two validations
    seeds: PositiveInt = 1  # runs of each way, from --seed on


@dataclass(frozen=True)
class WayResult:
    """What a way of scoring reached on the test questions: in each run, and means of shares over the runs.

    Args:
        scored: the share of the tokens that the loss scored.
        rate: the best learning rate on validation.
        inside: whether worse rates were tried on both sides of it.
        runs: test scores of each seed.
        shares: means of exact, before_end, probability and prefers; spreads are their standard deviations.
        curve: the share of exact validation answers after each of `curve_steps`, first seed.
        sample: a greedy answer to the first test question.
    """

    scored: float
    rate: float
    inside: bool
    runs: list[AnswerScores]
    shares: dict[str, float]
    spreads: dict[str, float]
    curve_steps: list[int]
    curve: list[float]
    sample: str


@dataclass(frozen=True)
class Results:
    chats: int
    left_out: int
    before: AnswerScores
    first_question: str
    ways: dict[str, WayResult]


@dataclass(frozen=True)
class _Run:
    model: "PreTrainedModel"
    steps: list[int]
    exact: list[float]


def tune_once(way: Scored, rate: float, seed: int, config: Config, asked: list[AskedChat]) -> tuple[float, _Run]:
    """Tune a fresh model; return the loss of the right validation answers, on what the way scores of them."""
    generator = seed_everything(seed)
    model, tokenizer = load_answerer(config.model, pick_device(config.device), generator)
    chats = training_chats(tokenizer, model, 0, config.recipes, config.questions)
    add_adapter(model, config.targets, config.rank, generator)
    steps, exact = [], []
    trained = tune_on_chats(
        model, chats, way, steps=config.steps, batch_size=config.batch_size, learning_rate=rate, generator=generator
    )
    scores = None
    for step, loss in (bar := tqdm(trained, total=config.steps, unit="step")):
        if step % config.every == 0 or step == config.steps:
            scores = score_answers(model, asked)
            steps.append(step)
            exact.append(scores.exact)
            bar.set_postfix(loss=f"{loss:.3f}", exact=f"{scores.exact:.1%}")
    scores = scores or score_answers(model, asked)
    # A way that never trained the end of a turn is chosen by what it did train.
    return scores.loss_before_end if way == "answers without end" else scores.loss, _Run(model, steps, exact)


def try_way(
    way: Scored,
    config: Config,
    chats: list[Chat],
    tokenizer: "PreTrainedTokenizerBase",
    asked: dict[str, list[AskedChat]],
    rates: tuple[float, ...],
) -> WayResult:
    """Choose a rate on validation with the first seed, run the other seeds with it, and test."""
    found = search_rate(lambda rate: tune_once(way, rate, config.seed, config, asked["validation"]), rates)
    models = [found.outcome.model]
    for seed in range(config.seed + 1, config.seed + config.seeds):
        models.append(tune_once(way, found.rate, seed, config, asked["validation"])[1].model)
    runs = [score_answers(model, asked["test"]) for model in models]
    values = {name: [vars(each)[name] for each in runs] for name in ("exact", "before_end", "probability", "prefers")}
    _, mask = chat_batch(chats[:50], way)
    result = WayResult(
        scored=int(mask.sum()) / sum(len(chat.tokens) for chat in chats[:50]),
        rate=found.rate,
        inside=found.inside,
        runs=runs,
        shares={name: statistics.mean(each) for name, each in values.items()},
        spreads={name: statistics.stdev(each) if len(each) > 1 else 0.0 for name, each in values.items()},
        curve_steps=found.outcome.steps,
        curve=found.outcome.exact,
        sample=write_answer(models[0], tokenizer, asked["test"][0].prompt),
    )
    print(f"{way:19s} exact {result.shares['exact']:.1%}, before the end {result.shares['before_end']:.1%}")
    print(f"    {result.sample!r}")
    return result


def main(config: Config) -> Results:
    keep_freed_memory()
    torch.set_flush_denormal(True)
    model, tokenizer = load_base(config.model, 0.0, pick_device(config.device))
    chats = training_chats(tokenizer, model, 0, config.recipes, config.questions)
    asked = {stream: asked_chats(tokenizer, model, stream, 0, config.asked) for stream in ("validation", "test")}
    before = score_answers(model, asked["test"])
    print(f"before: exact {before.exact:.1%}, the right answer before the wrong one {before.prefers:.1%}")
    rates = config.rates or (rate_of(model, "lora"),)
    ways: dict[str, WayResult] = {way: try_way(way, config, chats, tokenizer, asked, rates) for way in config.ways}
    return Results(len(chats), config.recipes - len(chats), before, asked["test"][0].prompt, ways)


def plot(results: Results) -> Figure:
    """Draw the share of exact validation answers over the steps, for each way."""
    figure, axes = new_figure(7, 3.6)
    for (name, way), colour in zip(results.ways.items(), COLOURS, strict=False):
        axes.plot(way.curve_steps, [100 * share for share in way.curve], marker="o", color=colour, label=name)
    axes.set(xlabel="optimizer steps", ylabel="exact answers, validation, %")
    axes.set_ylim(bottom=-1)
    axes.legend(title="the loss scores")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)
