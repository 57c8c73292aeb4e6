"""Killed at any moment, ten times: is the index ever half a one, and is work done twice? Files that change meanwhile.

    uv run sprints/25_retrieval_augmented_generation/killed_index.py
    uv run sprints/25_retrieval_augmented_generation/killed_index.py --updates 2 --files 40

Some files of a folder change; a process that indexes it is killed twice, and a third one may end. Each time the index
is loaded and compared with the one before and the one that is to come. Theory: notes/13_ones_own_folder.md
"""

import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from retrieval.encoders import Encoder
from retrieval.folder import find_files
from retrieval.store import Store
from shared.lab.compare import EXACT, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    files: PositiveInt = 60  # files of the folder
    changed: PositiveInt = 20  # of them that change before each update
    updates: PositiveInt = 5  # times that files change, and the index is brought up to date
    kills: PositiveInt = 2  # times that each update is killed before one may end
    step: PositiveFloat = 0.01  # seconds to make the vectors of a file

    def check(self) -> None:
        if self.changed > self.files:
            raise ValueError(f"--changed must be at most --files; got {self.changed} of {self.files}")


@dataclass(frozen=True)
class Results:
    kills: int
    old: int  # loaded as it was before the update
    new: int  # loaded as it is after the update
    neither: int  # loaded as something else, or not at all
    contents: int  # that had to be read, in all updates together
    repeated: int  # that were read once more, because a process was killed over them
    files_left: int  # files of the index beyond those it needs, at the end


def encoder(step: float, read: Any) -> Encoder:
    """Return an encoder that takes its time and counts the files whose vectors it made."""

    def encode(texts: Sequence[str]) -> np.ndarray:
        time.sleep(step)
        read.value += 1
        return np.array([[len(text), text.count("e")] for text in texts], dtype=np.float32)

    return Encoder("letters", "letters", encode)


def change(folder: Path, numbers: list[int], version: int) -> None:
    for number in numbers:
        (folder / f"{number:03}.md").write_text(f"# File {number}\n\nThis is version {version}.\n", encoding="utf-8")


def texts_of(store: Store) -> dict[str, str]:
    """Return what the index holds, checked against its own vectors; ValueError where it is corrupt."""
    indexed = store.load()
    expected = [[len(chunk.text), chunk.text.count("e")] for chunk in indexed.chunks]
    heads = [len(indexed.documents[chunk.document].title) + 1 for chunk in indexed.chunks]
    if not np.array_equal(indexed.vectors[:, 0], np.array(expected, dtype=np.float32)[:, 0] + heads):
        raise ValueError("the vectors are not those of the chunks")
    return {name: document.text for name, document in indexed.documents.items()}


def main(config: Config) -> Results:
    generator = torch.Generator().manual_seed(config.seed)
    fork, read = multiprocessing.get_context("fork"), multiprocessing.RawValue("q", 0)
    old = new = neither = killed = 0
    with tempfile.TemporaryDirectory() as name:
        folder, store = Path(name) / "texts", Store(Path(name) / "index", encoder(config.step, read))
        folder.mkdir()
        change(folder, list(range(config.files)), 0)
        start = time.perf_counter()
        store.update(find_files(folder))
        seconds = (time.perf_counter() - start) * config.changed / config.files  # of an update, about
        for version in tqdm(range(1, config.updates + 1), unit="update"):
            before = texts_of(store)
            change(folder, torch.randperm(config.files, generator=generator)[: config.changed].tolist(), version)
            after = {path: file.read_text(encoding="utf-8") for path, file in find_files(folder).items()}
            for _ in range(config.kills):
                process = fork.Process(target=store.update, args=(find_files(folder),))
                process.start()
                time.sleep(1.3 * seconds * float(torch.rand(1, generator=generator)))
                killed += process.is_alive()
                process.kill()
                process.join()
                try:
                    found = texts_of(store)
                except ValueError:
                    found = {}
                old, new = old + (found == before), new + (found == after)
                neither += found not in (before, after)
            store.update(find_files(folder))
            neither += texts_of(store) != after
        left = len([*(store.folder / "segments").iterdir()]) - len(texts_of(store))
    contents = config.files + config.updates * config.changed
    print(f"killed {killed} times: {old} times the old index, {new} times the new one, {neither} times neither")
    print(f"{contents} contents, {read.value - contents} of them read once more; {left} files left over")
    return Results(killed, old, new, neither, contents, read.value - contents, left)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": TIMING, "neither": EXACT, "contents": EXACT, "files_left": EXACT})
