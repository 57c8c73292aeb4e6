"""How do problems, or chains of thought of the hub, become prompts for training?

    uv run sprints/16_grpo_cooking/prepare_dataset.py
    uv run sprints/16_grpo_cooking/prepare_dataset.py --source moremilk/CoT_Reasoning_Cooking

It writes a folder of the library `datasets`: our problems with their answers, which a reward can verify, or the
questions of a data set of the hub (columns question, answer and metadata with its reasoning), of which only the form
can be checked. --source takes a local folder of the same columns too. Theory: notes/08_problems_and_rewards.md
"""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kitchen.problems import LEVELS, SPLITS, Level, draw_problems, numbers_of
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.files import replacing_folder
from shared.lab.ranges import PositiveInt
from shared.lab.run import run, run_folder
from shared.lab.runtime import seed_everything

if TYPE_CHECKING:  # datasets takes seconds to import
    from datasets import Dataset

KITCHEN = "kitchen"


@dataclass(frozen=True)
class Config(ScriptConfig):
    source: str = KITCHEN  # 'kitchen' for our problems, or a data set of the hub or a folder
    split: str = "train"  # split of a data set of the hub
    levels: tuple[Level, ...] = LEVELS  # levels of our problems
    train: PositiveInt = 2_000  # our problems of training
    held_out: PositiveInt = 400  # our problems of validation, and of test


@dataclass(frozen=True)
class Results:
    rows: dict[str, int]
    distinct: dict[str, int]
    shared_numbers: int
    example: dict[str, str]


def kitchen_rows(split: str, count: int, config: Config) -> list[dict[str, Any]]:
    """Return prompts in the conversational form of TRL, with what a reward has to know."""
    generator = seed_everything(config.seed)
    return [
        {
            "prompt": [{"role": "user", "content": problem.question}],
            "solution": problem.solution,
            "answer": problem.answer,
            "level": problem.level,
            "numbers": " ".join(numbers_of(problem)),
        }
        for problem in draw_problems(split, count, generator, config.levels)
    ]


def cooking_row(row: dict[str, Any], index: int) -> dict[str, Any]:
    """Return a row of a chain-of-thought set in the same form.

    Raises:
        ValueError: a column is missing or empty; says which row.
    """
    metadata = row.get("metadata") or {}
    reasoning = metadata.get("reasoning") or row.get("reasoning")
    wanted = {"question": row.get("question"), "reasoning": reasoning, "answer": row.get("answer")}
    if missing := [name for name, value in wanted.items() if not value or not str(value).strip()]:
        raise ValueError(
            f"row {index} has no {', '.join(missing)}: a chain-of-thought set needs the columns question and answer, "
            f"and reasoning as a column or in metadata; it has {', '.join(row)}"
        )
    question, thought, answer = (str(value).strip() for value in wanted.values())
    return {
        "prompt": [{"role": "user", "content": question}],
        "solution": f"<think>{thought}</think><answer>{answer}</answer>",
        "answer": answer,
    }


def load_source(config: Config) -> "Dataset":
    """Return a data set of the hub, or of a folder that `save_to_disk` wrote or that holds JSON or Parquet files.

    Raises:
        ValueError: it cannot be loaded.
    """
    from datasets import DatasetDict, load_dataset, load_from_disk

    folder = Path(config.source)
    try:
        saved = (folder / "dataset_info.json").is_file() or (folder / "dataset_dict.json").is_file()
        source = load_from_disk(config.source) if saved else load_dataset(config.source, split=config.split)
        rows = source[config.split] if isinstance(source, DatasetDict) else source
    except Exception as error:  # the library and the network raise of all kinds
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"cannot load {config.source!r} ({reason}): name a folder of files or, with a network, one of the hub"
        ) from error
    return rows


def main(config: Config) -> Results:
    from datasets import Dataset, DatasetDict

    folder = run_folder(config, __file__) / "datasets" / (Path(config.source).resolve().name or KITCHEN)
    if folder.resolve() == Path(config.source).resolve():
        raise ValueError(f"{config.source} is where the prompts would be written: choose another --out")
    if config.source == KITCHEN:
        sizes = {"train": config.train, "validation": config.held_out, "test": config.held_out}
        splits = {split: kitchen_rows(split, sizes[split], config) for split in SPLITS}
    else:
        splits = {"train": [cooking_row(dict(row), index) for index, row in enumerate(load_source(config))]}
    if not splits["train"]:
        raise ValueError(f"{config.source} has no rows in the split {config.split!r}: name another split or source")
    with replacing_folder(folder) as temporary:
        DatasetDict({split: Dataset.from_list(rows) for split, rows in splits.items()}).save_to_disk(str(temporary))
    keys = {split: {row.get("numbers", row["prompt"][0]["content"]) for row in rows} for split, rows in splits.items()}
    shared = [key for first, second in combinations(keys.values(), 2) for key in first & second]
    example = splits["train"][0]
    print(f"wrote {', '.join(f'{len(rows)} {split}' for split, rows in splits.items())} rows to {folder}")
    return Results(
        rows={split: len(rows) for split, rows in splits.items()},
        distinct={split: len(different) for split, different in keys.items()},
        shared_numbers=len(shared),
        example={
            "question": example["prompt"][0]["content"],
            "solution": example["solution"],
            "answer": example["answer"],
        },
    )


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT})
