"""Facts as triples: head, relation, tail as numbers; read from a folder of three files, or made for one property.

The files are those of ConvE's repository (Dettmers et al. 2018): a fact a line, its three words apart by tabs.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from shared.lab.datasets import DataError, find_folder
from shared.lab.provenance import note_read

FILES = ("train.txt", "valid.txt", "test.txt")
HOME = "the repository of ConvE (Dettmers et al. 2018, github.com/TimDettmers/ConvE) has it as a packed folder"


@dataclass(frozen=True)
class Facts:
    """Facts in three splits, each (facts, 3) of head, relation, tail; and the names behind the numbers."""

    entities: list[str]
    relations: list[str]
    train: Tensor
    valid: Tensor
    test: Tensor

    @property
    def everything(self) -> Tensor:
        """All facts of all splits: (facts, 3)."""
        return torch.cat([self.train, self.valid, self.test])


def read_facts(name: str) -> Facts:
    """Return the facts of `kg/NAME` in the folder of SPRINTS_DATA, or in the cache.

    Raises:
        DataError: a file is not there, or a line has not three words.
    """
    folder = find_folder(f"kg/{name}", FILES)
    texts = []
    for file in FILES:
        path = folder / file
        if not path.exists():
            raise DataError(
                f"{path} is missing: {HOME}; set SPRINTS_DATA to a folder that holds kg/{name}/{', '.join(FILES)}"
            )
        note_read(path, f"kg/{name}/{file}")
        texts.append(_triples(path))
    return number_facts(*texts)


def _triples(path: Path) -> list[tuple[str, str, str]]:
    """Return the facts of a file."""
    triples = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        words = line.split("\t")
        if len(words) != 3 or not all(words):
            raise DataError(f"{path}: a fact is three words apart by tabs; line {number} is {line!r}")
        triples.append((words[0], words[1], words[2]))
    return triples


def number_facts(
    train: list[tuple[str, str, str]], valid: list[tuple[str, str, str]], test: list[tuple[str, str, str]]
) -> Facts:
    """Return facts with numbers for words, in alphabetical order."""
    whole = [*train, *valid, *test]
    entities = sorted({word for head, _, tail in whole for word in (head, tail)})
    relations = sorted({relation for _, relation, _ in whole})
    entity = {word: number for number, word in enumerate(entities)}
    relation = {word: number for number, word in enumerate(relations)}

    def numbers(triples: list[tuple[str, str, str]]) -> Tensor:
        rows = [(entity[head], relation[name], entity[tail]) for head, name, tail in triples]
        return torch.tensor(rows, dtype=torch.long).reshape(-1, 3)

    return Facts(entities, relations, numbers(train), numbers(valid), numbers(test))


def check_facts(facts: Tensor, num_entities: int, num_relations: int) -> None:
    """Check the numbers of facts.

    Raises:
        ValueError: there is no fact, a row has not three numbers, or a number has no entity or relation.
    """
    if facts.dim() != 2 or facts.shape[1] != 3 or not len(facts):
        raise ValueError(f"facts must be rows of head, relation, tail, at least one; got shape {tuple(facts.shape)}")
    most = facts.amax(0).tolist()
    if facts.min() < 0 or max(most[0], most[2]) >= num_entities or most[1] >= num_relations:
        raise ValueError(
            f"heads and tails must be below {num_entities} and relations below {num_relations}, from 0; "
            f"got from {facts.min().item()}, up to {most}"
        )
