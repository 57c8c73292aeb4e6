"""What does a folder of your own say? Index Markdown, text and PDF, ask, and get a sentence with file and lines.

    uv run sprints/25_retrieval_augmented_generation/ask_folder.py --questions "What is the Fiedler vector?"
    uv run sprints/25_retrieval_augmented_generation/ask_folder.py --folder DIR --model minilm --questions "..." "..."

The default folder is that of this course. The index stays in the run's folder; what did not change is not read again.
Theory: notes/13_ones_own_folder.md
"""

import time
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from retrieval.asking import UNKNOWN, Asker, ModelName, encoder_named
from retrieval.folder import find_files
from retrieval.store import Changes, Store, index_name
from retrieval.thresholds import ENOUGH
from shared.lab.config import ScriptConfig, refuse
from shared.lab.paths import SPRINTS, shown
from shared.lab.ranges import ExistingFolder, Fraction, PositiveFloat, PositiveInt
from shared.lab.run import run, run_folder


@dataclass(frozen=True)
class Config(ScriptConfig):
    folder: ExistingFolder = SPRINTS  # the folder with your files; what is below it is read too
    questions: tuple[str, ...] = ("What is the Fiedler vector of a graph?", "Who won the cup?")  # what is asked
    model: ModelName = "words"  # words: BM25 alone; minilm: BM25 and vectors (group models)
    index: Path | None = None  # folder of the index (default: one for each folder and model, in the run's folder)
    sources: PositiveInt = 3  # pieces that are shown for each question
    enough: Fraction | None = None  # confidence from which on a sentence is given (default: chosen by own_questions.py)
    most_megabytes: PositiveFloat = 5.0  # larger files are left out

    def check(self) -> None:
        if not self.questions or not all(question.strip() for question in self.questions):
            raise ValueError('--questions needs at least one question: --questions "How hot is the oven?"')


@dataclass(frozen=True)
class Asked:
    question: str
    answer: str
    place: str | None  # of the answer's sentence
    sources: list[str]
    confidence: float
    milliseconds: float


@dataclass(frozen=True)
class Results:
    changes: Changes
    chunks: int
    index_seconds: float
    asked: list[Asked]


def ask(asker: Asker, question: str, sources: int) -> Asked:
    """Ask, and print what was found."""
    start = time.perf_counter()
    answer = asker.ask(question, sources)
    milliseconds = 1000 * (time.perf_counter() - start)
    print(f"\n{question}")
    if answer is None:
        print(f"  {UNKNOWN} No word of the question stands in the folder.")
        return Asked(question, UNKNOWN, None, [], 0.0, milliseconds)
    place = str(answer.sentence.place) if answer.known else None
    print(f"  {answer.text}" + (f"  [{place}]" if place else f" The nearest is in {answer.sentence.place}."))
    for source in answer.sources:
        print(f"    {source.place}")
    found = [str(source.place) for source in answer.sources]
    return Asked(question, answer.text, place, found, answer.confidence, milliseconds)


def main(config: Config) -> Results:
    if config.record is not None:
        refuse("a folder of your own has nothing to record; own_questions.py does")
    files = find_files(config.folder)
    encoder = encoder_named(config.model)
    place = config.index or run_folder(config, __file__) / index_name(config.folder, config.model)
    store = Store(place, encoder, most_bytes=round(config.most_megabytes * 1e6))
    start = time.perf_counter()
    changes = store.update(files, lambda names: tqdm(names, unit="file"))
    asker = Asker(store.load(), encoder, ENOUGH[config.model] if config.enough is None else config.enough)
    seconds = time.perf_counter() - start
    for sentence in changes.left_out:
        print(sentence)
    print(f"{len(changes.added)} files added, {len(changes.removed)} removed, {changes.kept} as they were", end="")
    print(f": {len(asker.indexed.chunks):,} pieces in {seconds:.1f} s, in {shown(store.folder)}")
    asked = [ask(asker, question, config.sources) for question in config.questions]
    return Results(changes, len(asker.indexed.chunks), seconds, asked)


if __name__ == "__main__":
    run(main, Config)
