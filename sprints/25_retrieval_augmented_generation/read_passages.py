"""How good is a reader that is a network, beside the best one, and may one believe it when it says that it is sure?

    uv run sprints/25_retrieval_augmented_generation/read_passages.py
    uv run sprints/25_retrieval_augmented_generation/read_passages.py --model smollm2 --tasks 40

The default is the shipped reader, which train_reader.py has trained. SmolLM2 (group models) was never trained on a
pantry: it is shown three tasks with their answers, and takes seconds for each one. From what belief on an answer is
given is chosen on tasks about another pantry. Theory: notes/15_a_reader_that_was_trained.md
"""

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from retrieval.pantry_training import FACTS, TESTED_ON, TRAINED_ON, VALIDATED_ON
from retrieval.prompted_reader import PromptedReader
from retrieval.reader_exam import Marks, Read, always, best_reader, by_model, by_rule, sit
from retrieval.reader_files import PANTRY_READER, load_reader
from retrieval.reader_tasks import Kitchen, draw_task, draw_tasks
from retrieval.readers import SILENT, Said
from retrieval.reading import UNKNOWN, Example, judge
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, ExistingFolder, Fraction, PositiveFloat
from shared.lab.run import run

PRESETS = {"smollm2": {"model": "smollm2", "tasks": 100}}
BEST, RULE, MODEL, WITH_THRESHOLD = "best", "by rule", "model", "model, by its belief"


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = "trained"  # trained: the shipped reader; smollm2 (group models); or a folder of transformers
    reader: ExistingFolder | None = None  # folder of a trained reader (default: the shipped one)
    near: bool = True  # whether the other passages are from BM25's first, or from all
    synonyms: Fraction = 0.5  # the synonym rate
    passages: AtLeastTwo = 3  # that are shown
    tasks: AtLeastTwo = 400  # of the test; the threshold is chosen on half as many
    prices: tuple[PositiveFloat, ...] = (1.0, 4.0)  # points that an error costs; a right answer earns 1

    def check(self) -> None:
        if self.tasks < 20:
            raise ValueError(
                f"half of the tasks choose the threshold, so --tasks must be at least 20; got {self.tasks}"
            )


@dataclass(frozen=True)
class Results:
    enough: float  # belief from which on an answer is given, chosen on the validation tasks
    marks: dict[str, Marks]
    seconds_per_task: float


def choose(examples: Sequence[Example], forced: Sequence[Said]) -> float:
    """Return the belief that, as a threshold, treats most tasks rightly: midway between two of them."""
    levels = sorted({0.0, 1.0, *(said.belief for said in forced)})
    middles = [(low + high) / 2 for low, high in itertools.pairwise(levels)]
    right = [judge(example, said.text).correct for example, said in zip(examples, forced, strict=True)]

    def rightly(enough: float) -> int:
        return sum(
            answer if said.belief >= enough else example.place is None
            for example, said, answer in zip(examples, forced, right, strict=True)
        )

    return max(middles, key=rightly)


def readers_of(config: Config) -> tuple[Read, Read]:
    """Return the model as a reader, and how it answers if it has to."""
    if config.model == "trained":
        reader, _ = load_reader(config.reader or PANTRY_READER)
        return by_model(reader)
    kitchen, generator = Kitchen.of(TRAINED_ON[0], FACTS), torch.Generator().manual_seed(0)
    shots = [draw_task(kitchen, kind, False, 0.0, config.passages, generator) for kind in ("right", "missing", "right")]
    model, known = PromptedReader(config.model, shots), dict[str, Said]()

    def read(examples: Sequence[Example]) -> list[Said]:
        for example in tqdm([one for one in examples if one.prompt not in known], unit="task", leave=False):
            known[example.prompt] = model.read(example)
        return [known[example.prompt] for example in examples]

    def forced(examples: Sequence[Example]) -> list[Said]:
        return [replace(said, belief=0.0) if said.answer == UNKNOWN else said for said in read(examples)]

    return read, forced


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    read, forced = readers_of(config)
    validation, test = Kitchen.of(VALIDATED_ON, FACTS), Kitchen.of(TESTED_ON, FACTS)

    def tasks(kitchen: Kitchen, many: int, seed: int) -> list[Example]:
        generator = torch.Generator().manual_seed(seed)
        return draw_tasks(kitchen, many, config.near, config.synonyms, config.passages, generator)

    chosen_on, asked = tasks(validation, config.tasks // 2, 1), tasks(test, config.tasks, 2)
    enough = choose(chosen_on, forced(chosen_on))
    begun = time.perf_counter()
    read(asked)
    seconds = (time.perf_counter() - begun) / config.tasks
    readers = {
        BEST: best_reader(test, config.near, config.synonyms),
        RULE: always(by_rule(config.synonyms)),
        MODEL: (read, forced),
        WITH_THRESHOLD: (lambda ones: [one if one.belief >= enough else SILENT for one in forced(ones)], forced),
    }
    found = sit(asked, readers, config.prices)
    for name, one in found.items():
        print(
            f"{name:<22} right {one.right:.1%}, cited {one.cited:.1%}, silent {one.silent:.1%}, all {one.correct:.1%}"
        )
    print(f"an answer is given from a belief of {enough:.3f} on; {1000 * seconds:.1f} ms a task")
    return Results(enough, found, seconds)


def plot(results: Results) -> Figure:
    """Draw errors among the answers over the share of tasks that are answered, and the mean belief beside the truth."""
    figure, axes = new_figure(7.0, 4.2)
    for (name, label), style, colour in zip(
        {BEST: "the best reader", RULE: "by rule", MODEL: "the model, by its own belief"}.items(),
        ("--", "s:", "o-"), ("black", COLOURS[1], COLOURS[0]), strict=True,
    ):  # fmt: skip
        curve = results.marks[name].curve
        shares, errors = [100 * float(share) for share in curve], [100 * error for error in curve.values()]
        axes.plot(shares, errors, style, color=colour, label=label)
    axes.set(xlabel="tasks that are answered, %", ylabel="errors among the answers, %", xlim=(0, 102), ylim=(0, 100))
    axes.legend(loc="upper left", fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED})
