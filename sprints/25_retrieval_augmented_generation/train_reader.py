"""What does it take until a small GPT reads? Trained on tasks of some pantries, it reads about another one.

    uv run sprints/25_retrieval_augmented_generation/train_reader.py
    uv run sprints/25_retrieval_augmented_generation/train_reader.py --preset seeds

The defaults train one model and stop early: it tells random passages from each other and hardly near ones. (Other seeds
need more steps for that, see `--preset easy`.) Beside it stand the best reader, one by rule, and three that are simple.
Theory: notes/15_a_reader_that_was_trained.md
"""

from collections import defaultdict
from dataclasses import dataclass
from statistics import mean
from typing import Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from retrieval.pantry_training import FACTS, TESTED_ON, TRAINED_ON, VALIDATED_ON
from retrieval.reader_exam import BEST, RULE, Table, by_model, known_readers, over_models, sit
from retrieval.reader_files import PANTRY_READER, from_pretrained, new_reader, save_reader
from retrieval.reader_sheets import sheets
from retrieval.reader_tasks import Kitchen, draw_tasks, made_up_names, name_answer
from retrieval.reader_tokens import MOST_PASSAGES, MOST_QUESTIONS, ReaderTokens
from retrieval.trained_reader import TrainedReader, train_reader
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Fraction, NonNegativeInt, PositiveFloat, PositiveInt, Seeds, check_heads
from shared.lab.run import run, run_folder
from shared.nn.pretrained import SHIPPED

PRESETS = {
    # What is recorded, and shipped as data/models/pantry-reader; the defaults stop before it reads what is near.
    "seeds": {"seeds": (0, 1, 2), "steps": 4000},
    # What each help is worth in the easy steps: both, and one missing.
    "easy": {"seeds": (0, 1, 2), "steps": 600},
    "plain": {"seeds": (0, 1, 2), "steps": 600, "start": "plain"},
    "whole_questions": {"seeds": (0, 1, 2), "steps": 600, "words": 0.0},
    "shipped": {"seeds": (0, 1, 2), "steps": 600, "start": "shipped"},
}
MODEL = "the trained reader"
POOLS = {"all passages": False, "BM25's first": True}
UNSEEN = 50  # names that only the test has


@dataclass(frozen=True)
class Config(ScriptConfig):
    start: Literal["alike", "plain", "shipped"] = "alike"  # weights: of shared/nn/first_weights.py, GPT-2's, trained
    passages: AtLeastTwo = 3  # that are shown
    names: NonNegativeInt = 200  # made-up names that stand in passages of the training, once it is no longer easy
    steps: PositiveInt = 600  # optimizer steps
    easy: NonNegativeInt = 750  # the first steps have neither near passages nor synonyms nor names
    words: Fraction = 0.3  # share of sheets whose questions are one word
    sheets: PositiveInt = 16  # sets of passages in a step
    questions: PositiveInt = 5  # about each set
    learning_rate: PositiveFloat = 1e-3  # the largest, of AdamW
    layers: PositiveInt = 3  # blocks of a new GPT; the shipped one has 4
    d_model: PositiveInt = 128  # its features of a token; the shipped one has 192
    heads: PositiveInt = 4  # its attention heads
    rates: tuple[Fraction, ...] = (0.0, 0.5, 1.0)  # synonym rates of the test
    tasks: AtLeastTwo = 200  # of the test, at each rate and pool
    prices: tuple[PositiveFloat, ...] = (1.0, 4.0)  # points that an error costs; a right answer earns 1
    seeds: Seeds = (0,)  # models; pantries stay the same

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        if self.passages > MOST_PASSAGES or self.questions > MOST_QUESTIONS:
            raise ValueError(
                f"at most {MOST_PASSAGES} passages and {MOST_QUESTIONS} questions have room; got --passages "
                f"{self.passages} and --questions {self.questions}"
            )
        if self.tasks < 10:
            raise ValueError(f"ten tasks hold each situation once, so --tasks must be at least 10; got {self.tasks}")


@dataclass(frozen=True)
class Results:
    """Means over models, with intervals.

    Args:
        parameters: of the model.
        tables: by pool and rate: each reader's marks, its curve, and its points. Only the trained reader has intervals.
        behind: by pool and rate: points in a hundred that the trained reader is behind the best one, passage there.
        named: right, if the answer is a name: one of the training, or a new one.
        validation: correct on tasks of the validation pantry, by which settings are chosen.
        losses: of each model, mean over a twentieth of the steps, in nats a token of an answer.
    """

    parameters: int
    tables: dict[str, dict[str, Table]]
    behind: dict[str, dict[str, MeanInterval]]
    named: dict[str, MeanInterval]
    validation: MeanInterval
    losses: list[list[float]]


def trained(config: Config, kitchens: list[Kitchen], seed: int) -> tuple[TrainedReader, list[float]]:
    """Return a trained reader and its losses."""
    generator, names = torch.Generator().manual_seed(seed), made_up_names(config.names + UNSEEN)
    tokens = ReaderTokens(names)
    if config.start == "shipped":
        model = from_pretrained(tokens, SHIPPED, generator)
    else:
        alike = config.start == "alike"
        model = new_reader(tokens, generator, config.layers, config.d_model, config.heads, alike)
    drawn = sheets(
        kitchens, config.sheets, config.questions, config.passages, generator, names[: config.names],
        easy=config.easy, words=config.words,
    )  # fmt: skip
    steps = train_reader(model, tokens, drawn, steps=config.steps, learning_rate=config.learning_rate)
    losses = [loss for _, loss in tqdm(steps, total=config.steps, desc=f"reader {seed}", leave=False)]
    width = max(1, config.steps // 20)
    return TrainedReader(model, tokens), [mean(losses[place : place + width]) for place in range(0, len(losses), width)]


def named(reader: TrainedReader, kitchen: Kitchen, config: Config) -> dict[str, float]:
    """Return how often the answer is right if it is a name, of the training or a new one."""
    names = made_up_names(config.names + UNSEEN)
    tasks = draw_tasks(kitchen, config.tasks, False, 0.0, config.passages, torch.Generator().manual_seed(3))
    there = [task for task in tasks if task.place is not None]
    found = {}
    for kind, few in {"of the training": names[: config.names], "new": names[config.names :]}.items():
        if few:
            asked = [name_answer(task, few[place % len(few)]) for place, task in enumerate(there)]
            answers = [said.answer == task.answer for said, task in zip(reader.read(asked), asked, strict=True)]
            found[kind] = mean(answers)
    return found


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # numbers close to zero are slow on a CPU
    kitchens = [Kitchen.of(seed, FACTS) for seed in TRAINED_ON]
    test, validation = Kitchen.of(TESTED_ON, FACTS), Kitchen.of(VALIDATED_ON, FACTS)
    chosen_on = draw_tasks(validation, config.tasks, True, 0.5, config.passages, torch.Generator().manual_seed(1))
    readers, losses, checked, of_names = [], [], [], defaultdict(list)
    for seed in config.seeds:
        reader, loss = trained(config, kitchens, seed)
        readers.append(reader)
        losses.append(loss)
        checked.append(sit(chosen_on, {MODEL: by_model(reader)}, config.prices)[MODEL].correct)
        for kind, share in named(reader, test, config).items():
            of_names[kind].append(share)
    folder = PANTRY_READER if config.record == "seeds" else run_folder(config, __file__) / PANTRY_READER.name
    save_reader(readers[0], made_up_names(config.names + UNSEEN), folder)
    tables: dict[str, dict[str, Table]] = {pool: {} for pool in POOLS}
    behind: dict[str, dict[str, MeanInterval]] = {pool: {} for pool in POOLS}
    for pool, near in POOLS.items():
        for rate in config.rates:
            tasks = draw_tasks(test, config.tasks, near, rate, config.passages, torch.Generator().manual_seed(2))
            others = known_readers(test, near, rate, kitchens)
            sat = {name: [one] for name, one in sit(tasks, others, config.prices).items()}
            sat[MODEL] = [sit(tasks, {MODEL: by_model(reader)}, config.prices)[MODEL] for reader in readers]
            tables[pool][f"{rate:g}"] = table = over_models(sat)
            behind[pool][f"{rate:g}"] = mean_interval([100 * (sat[BEST][0].right - one.right) for one in sat[MODEL]])
            for name, row in table.marks.items():
                shown = ", ".join(f"{key} {show_interval(*row[key], '.1%')}" for key in ("right", "cited", "silent"))
                print(f"others from {pool}, {rate:.0%} synonyms, {name}: {shown}")
    names = {kind: mean_interval(shares) for kind, shares in of_names.items()}
    print("answers that are names: " + ", ".join(f"{kind} {show_interval(*one, '.1%')}" for kind, one in names.items()))
    parameters = readers[0].model.parameter_count()
    return Results(parameters, tables, behind, names, mean_interval(checked), losses)


def plot(results: Results) -> Figure:
    """Draw errors among the answers over the share of tasks that are answered, beside the best reader."""
    figure, panels = new_figure(9.0, 4.2, columns=len(results.tables))
    styles = {BEST: ("--", "black"), RULE: ("s:", COLOURS[1]), MODEL: ("o-", COLOURS[0])}
    for axes, (pool, rates) in zip(panels, results.tables.items(), strict=True):
        rate = sorted(rates, key=float)[len(rates) // 2]
        for reader, (style, colour) in styles.items():
            row = rates[rate].curves[reader]
            means, halves = zip(*row.values(), strict=True)
            axes.errorbar(
                [100 * float(share) for share in row], [100 * value for value in means],
                [100 * half for half in error_bars(halves)], fmt=style, color=colour, capsize=2, label=reader,
            )  # fmt: skip
        axes.set(xlabel="tasks that are answered, %", xlim=(0, 102), ylim=(0, 100))
        axes.set_title(f"others from {pool}, {float(rate):.0%} synonyms", fontsize=10)
    panels[0].set(ylabel="errors among the answers, %")
    panels[0].legend(loc="upper left", fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED, "behind.*": TRAINED, "losses.*": TRAINED})
