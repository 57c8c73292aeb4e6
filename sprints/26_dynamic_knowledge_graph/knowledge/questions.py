"""Questions in words about the kitchen news: from a path to a sentence, and the tokens that a parser reads and writes.

    words = in_words(Path("person:3", (("works_at", True), ("located_in", True)), day=40), "Anna Berg", rng)
    words  # "on day 40 , name the town of the employer of Anna Berg"
    source, values = Names({"Anna Berg": "person:3"}).without(words)  # PERSON for the name, NUMBER1 for 40
    target_of(path, values)  # ("works_at>", "located_in>", "day", "NUMBER1")

So a parser never sees a name or a number: it need not learn any, and what they stand for is put back by `path_of`.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath
from random import Random

from knowledge.queries import Path, Step

DAY, KNOWN = "day", "known"
WAYS: dict[bool | None, str] = {True: ">", False: "<", None: ""}


@dataclass(frozen=True)
class Wordings:
    """How something can be said."""

    words: tuple[str, ...]
    unseen: tuple[str, ...]  # not in training


@cache
def wordings() -> dict[str, Wordings]:
    """Return the wordings of each step, of the beginning of a question, and of both times."""
    table = tomllib.loads(FilePath(__file__).with_name("questions.toml").read_text(encoding="utf-8"))
    rows = {row["step"]: row for row in table["steps"]} | {name: table[name] for name in ("ask", DAY, KNOWN)}
    return {name: Wordings(tuple(row["words"]), tuple(row["unseen"])) for name, row in rows.items()}


def in_words(path: Path, name: str, rng: Random, unseen: int = 0) -> str:
    """Put a path into words.

    Args:
        path: what is asked; times may be missing.
        name: of its start.
        rng: draws the wordings.
        unseen: how many of the wordings are such as training does not have; they are drawn, too.
    """
    numbers = [(of, number) for of, number in ((DAY, path.day), (KNOWN, path.known)) if number is not None]
    parts = [*map(token_of, path.steps), "ask", *(of for of, _ in numbers)]
    new = set(rng.sample(range(len(parts)), unseen))
    drawn = [rng.choice(wordings()[of].unseen if place in new else wordings()[of].words)
             for place, of in enumerate(parts)]  # fmt: skip
    said = name
    for wording in drawn[: len(path.steps) + 1]:
        said = wording.format(x=said)
    times = [
        wording.format(n=number) for wording, (_, number) in zip(drawn[len(path.steps) + 1 :], numbers, strict=True)
    ]
    rng.shuffle(times)
    for time in times:
        said = f"{time} , {said}" if rng.random() < 0.5 else f"{said} {time}"
    return said


def token_of(step: Step) -> str:
    """Return a step as a token: "works_at>" forwards, "works_at<" backwards, "married_to" either way."""
    return step[0] + WAYS[step[1]]


class Names:
    """The names that can be recognised in a question, each of one entity."""

    def __init__(self, entities: Mapping[str, str]) -> None:
        """Take entities by name: their kind is what stands before the colon."""
        self.entities = dict(entities)
        longest = sorted(self.entities, key=len, reverse=True)
        self.pattern = re.compile(r"\b(" + "|".join(re.escape(name) for name in longest) + r")\b|\b\d+\b")

    def without(self, words: str) -> tuple[list[str], dict[str, str]]:
        """Return the tokens with a placeholder for each name and number, and what stands for it, by placeholder.

        A question has one name; if there are more the last one is put back.
        """
        values: dict[str, str] = {}

        def replace(found: re.Match) -> str:
            if entity := self.entities.get(found[0]):
                placeholder = entity.partition(":")[0].upper()
                values["name"] = entity
            else:
                placeholder = f"NUMBER{1 + sum(one.startswith('NUMBER') for one in values)}"
                values[placeholder] = found[0]
            return placeholder

        return self.pattern.sub(replace, words).split(), values


def target_of(path: Path, values: Mapping[str, str]) -> tuple[str, ...]:
    """Return the tokens of a path: its steps from the start on, then the times that it has, by their placeholders."""
    tokens = [token_of(step) for step in path.steps]
    numbers = {value: placeholder for placeholder, value in values.items() if placeholder != "name"}
    for name, number in ((DAY, path.day), (KNOWN, path.known)):
        tokens += [] if number is None else [name, numbers[str(number)]]
    return tuple(tokens)


def path_of(tokens: Sequence[str], values: Mapping[str, str]) -> Path | None:
    """Return the path that tokens mean, or None if they mean none."""
    steps: list[Step] = []
    times: dict[str, int] = {}
    place = 0
    while place < len(tokens) and tokens[place] in _steps():
        steps.append(_steps()[tokens[place]])
        place += 1
    rest = list(tokens[place:])
    if not steps or len(rest) % 2 or "name" not in values:
        return None
    for name, placeholder in zip(rest[::2], rest[1::2], strict=True):
        if name not in (DAY, KNOWN) or name in times or placeholder not in values:
            return None
        times[name] = int(values[placeholder])
    return Path(values["name"], tuple(steps), times.get(DAY), times.get(KNOWN))


@cache
def _steps() -> dict[str, Step]:
    ways = {">": True, "<": False}
    return {
        token: (token.rstrip("<>"), ways.get(token[-1])) for token in wordings() if token not in ("ask", DAY, KNOWN)
    }
