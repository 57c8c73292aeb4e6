"""A question of two hops beside four sentences: which of them share words with it? And which path does it ask for?

    uv run sprints/26_dynamic_knowledge_graph/words_by_hand.py

Theory: notes/15_asking_in_words.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from knowledge.parsers import Grammar
from knowledge.questions import Names, path_of, token_of
from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run

SENTENCES = (
    "Ava Berg works at the Blue Kettle.",
    "The Blue Kettle has moved to Oakham.",
    "The Red Spoon is in a town near Wells.",
    "The town of Lund welcomes Ava Berg.",
)
NAMES = {
    "Ava Berg": "person:1", "Blue Kettle": "shop:1", "Red Spoon": "shop:2", "Oakham": "town:Oakham",
    "Wells": "town:Wells", "Lund": "town:Lund",
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    question: str = "name the town of the employer of Ava Berg on day 9"  # in the wordings of questions.toml


@dataclass(frozen=True)
class Results:
    source: list[str]  # what a parser reads
    target: list[str]  # what it should write
    path: list[str]  # start, steps and day of the path
    shared: dict[str, list[str]]  # words that each sentence has in common with the question
    question: str


def main(config: Config) -> Results:
    source, values = Names(NAMES).without(config.question)
    target = [token for reading in Grammar(unseen=True).readings(source) for token in reading]
    path = path_of(target, values)
    if path is None:
        raise ValueError(f"--question must be in wordings of questions.toml; {config.question!r} is not")
    words = set(config.question.lower().split())
    shared: dict[str, list[str]] = {
        one: [word for word in one.lower().rstrip(".").split() if word in words] for one in SENTENCES
    }
    print(f"{config.question}\n{' '.join(source)}\n{' '.join(target)}\n{path}")
    for sentence, common in shared.items():
        print(f"{len(common)}  {sentence:<40}{' '.join(common)}")
    said = [path.start, *map(token_of, path.steps), *([] if path.day is None else [f"day {path.day}"])]
    return Results(source, target, said, shared, config.question)


def plot(results: Results) -> Figure:
    """Draw the question, what the parser reads and writes, and the path; and the sentences with what they share."""
    figure, axes = drawings.canvas(8.4, 4.3)
    rows = (("asked", results.question.split()), ("read", results.source), ("written", results.target))
    for place, (name, tokens) in enumerate(rows):
        x, y = 1.0, 3.75 - 0.6 * place
        drawings.text(axes, name, 0.05, y + 0.18, align="left", bold=True)
        for token in tokens:
            named = token.isupper() or token[-1].isdigit() or token in ("Ava", "Berg", "9")
            width = 0.16 + 0.083 * len(token)
            colour = COLOURS[1] if named else COLOURS[2] if name == "written" else drawings.TOKEN
            drawings.box(axes, token, x, y, width, 0.36, colour)
            x += width + 0.06
    drawings.text(axes, "words that sentences share with the question", 0.05, 2.0, align="left", bold=True)
    for place, (sentence, common) in enumerate(results.shared.items()):
        y = 1.45 - 0.42 * place
        drawings.text(axes, f"{len(common)}", 0.2, y + 0.16, bold=True)
        drawings.text(axes, sentence, 0.5, y + 0.16, align="left")
        drawings.text(axes, ", ".join(common), 4.2, y + 0.16, align="left")
        needed = place < 2
        drawings.text(axes, "needed" if needed else "not needed", 7.2, y + 0.16, align="left", bold=needed)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
