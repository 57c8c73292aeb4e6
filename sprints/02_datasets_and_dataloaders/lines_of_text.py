"""How does one reach line 10,000 of a text without reading the 9,999 before it, and which words will be unknown?

    uv run sprints/02_datasets_and_dataloaders/lines_of_text.py

A file of recipes, a line an item. The data set keeps only where each line starts.
Theory: notes/04_images_and_text.md
"""

import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from shared.lab.compare import EXACT, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.ranges import MOST, PositiveInt
from shared.lab.run import run
from shared.text.cookbook import Cookbook

UNKNOWN = "<unknown>"
Recipes = Annotated[int, Field(ge=10, le=MOST)]  # a tenth as many are held out


@dataclass(frozen=True)
class Config(ScriptConfig):
    recipes: Recipes = 1000  # recipes to write into the file
    reads: PositiveInt = 100  # lines to read at random places
    words: tuple[PositiveInt, ...] = (50, 100, 200, 400, 800)  # sizes of the vocabulary
    rounds: PositiveInt = 3  # turns of each way to read


@dataclass(frozen=True)
class Results:
    lines: int
    equal: bool
    text_bytes: int
    index_bytes: int
    reading_through_over_index: float
    index_over_memory: float
    vocabulary: list[int]
    unknown: dict[str, list[float]]


class LineDataset(Dataset[str]):
    """The lines of a UTF-8 text file. Only the place of each line is kept in memory: 8 bytes, however long it is.

    A text of bytes has random access, a text of characters has none: in UTF-8 a character takes one to four bytes. So
    places are counted in bytes and a line is decoded after it was cut out.

    Raises:
        ValueError: a line that is asked for is not UTF-8.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with open(path, "rb") as file:
            self.ends = np.cumsum([len(line) for line in file], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, index: int) -> str:
        if not -len(self) <= index < len(self):
            raise IndexError(f"line must be one of {len(self)}; got {index}")
        line = index % len(self)
        start = int(self.ends[line - 1]) if line else 0
        # Opened anew each time: worker processes that share one open file share its position too.
        with open(self.path, "rb") as file:
            file.seek(start)
            cut = file.read(int(self.ends[line]) - start)
        try:
            # Some programs begin a file with a byte order mark, which is no part of the first line.
            return cut.decode("utf-8" if line else "utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise ValueError(f"{self.path.name}, line {line + 1}: this is no UTF-8 ({error})") from None


class Vocabulary:
    """Numbers for the most frequent words of some lines; all other words share the number 0.

    Ties are broken by the alphabet, so that the numbers do not depend on the order of the lines.
    """

    def __init__(self, lines: Iterable[str], size: int) -> None:
        counts = Counter(word for line in lines for word in line.split())
        frequent = sorted(counts, key=lambda word: (-counts[word], word))[: size - 1]
        self.words = [UNKNOWN, *frequent]
        self.numbers = {word: number for number, word in enumerate(self.words)}

    def encode(self, line: str) -> Tensor:
        """Return the numbers of the words of a line, int64 (words,)."""
        return torch.tensor([self.numbers.get(word, 0) for word in line.split()], dtype=torch.long)

    def unknown_share(self, lines: Iterable[str]) -> float:
        """Return the share of the words of some lines that have no number of their own."""
        numbers = torch.cat([self.encode(line) for line in lines])
        return (numbers == 0).double().mean().item()


def recipe_lines(voice: str, stream: str, recipes: int) -> list[str]:
    """Return the lines of recipes that are not empty."""
    texts = (recipe.text for recipe in islice(Cookbook(voice).recipes(stream), recipes))
    return [line for text in texts for line in text.splitlines() if line]


def read_through(path: Path, index: int) -> str:
    """Return a line by reading all lines before it."""
    with open(path, encoding="utf-8") as file:
        return next(islice(file, index, None)).rstrip("\n")


def seconds_to_read(read: Callable[[int], str], line_numbers: list[int]) -> float:
    began = time.perf_counter()
    for number in line_numbers:
        read(number)
    return time.perf_counter() - began


def main(config: Config) -> Results:
    lines = recipe_lines("plain", "train", config.recipes)
    generator = torch.Generator().manual_seed(config.seed)
    line_numbers = torch.randint(len(lines), (config.reads,), generator=generator).tolist()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recipes.txt"
        path.write_text("\n".join(lines), encoding="utf-8", newline="\n")
        data = LineDataset(path)
        readers = {
            "through": lambda number: read_through(path, number),
            "index": data.__getitem__,
            "memory": lines.__getitem__,
        }
        turns = [
            {name: seconds_to_read(read, line_numbers) for name, read in readers.items()}
            for _ in tqdm(range(config.rounds), unit="round")
        ]
        equal = [data[index] for index in range(len(data))] == lines and all(
            readers["through"](number) == lines[number] for number in line_numbers
        )
        text_bytes = path.stat().st_size
    held_out = {voice: recipe_lines(voice, "validation", config.recipes // 10) for voice in ("plain", "flirty")}
    vocabularies = [Vocabulary(lines, size) for size in config.words]
    results = Results(
        lines=len(lines),
        equal=equal,
        text_bytes=text_bytes,
        index_bytes=data.ends.nbytes,
        reading_through_over_index=statistics.median(turn["through"] / turn["index"] for turn in turns),
        index_over_memory=statistics.median(turn["index"] / turn["memory"] for turn in turns),
        vocabulary=list(config.words),
        unknown={voice: [v.unknown_share(unseen) for v in vocabularies] for voice, unseen in held_out.items()},
    )
    print(f"{results.lines:,} lines, {text_bytes:,} bytes; the index takes {results.index_bytes:,} bytes")
    print(f"reading through takes {results.reading_through_over_index:,.0f} times as long as the index")
    for voice, shares in results.unknown.items():
        shown = (f"{share:.1%} with {size}" for share, size in zip(shares, config.words, strict=True))
        print(f"unknown words, {voice:<7}" + ", ".join(shown))
    return results


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT, "reading_through_over_index": TIMING, "index_over_memory": TIMING})
