"""Arrivals that were never in one list: a crowd of names, Debian's packages and their updates, messages of students."""

import csv
import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import torch

from knowledge.kinds import Claim, Mention, Record
from knowledge.store import Arrival, Malformed, Reading
from shared.lab.datasets import DataError, find_folder
from shared.text.debian import Package, choices, read_packages, read_updates


def read_line(line: str) -> Arrival:
    """Read a record that arrives as JSON, with its claims as lists; what cannot be read is kept aside.

    A claim is `[subject, relation, object, holds]`; a mention is `[start, end, kind]`, places in the text.
    """
    try:
        row = json.loads(line)
        record = Record(row["key"], row["source"], row["day"], row["text"], row.get("retracts", ""))
        claims = tuple(
            Claim(
                record.key, _mention(record.text, one), relation, _mention(record.text, other), record.day, bool(holds)
            )
            for one, relation, other, holds in row.get("claims", [])
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return Malformed(
            line, f"a record is JSON with key, source, day, text and claims; {type(error).__name__}: {error}"
        )
    return Reading(record, claims)


def _mention(text: str, place: Sequence[Any]) -> Mention:
    start, end, kind = place
    return Mention(start, end, text[start:end], kind)


def crowd(arrivals: int, people: int, generator: torch.Generator) -> Iterator[str]:
    """Yield lines: who likes whom, famous people more often; of 100 lines 3 take back an earlier one, 2 are broken.

    Args:
        arrivals: number of lines.
        people: number of names; the k-th is drawn with a weight of 1 / (k + 10).
        generator: of what is drawn; it is asked for a thousand lines at a time.
    """
    weights = 1 / (torch.arange(people, dtype=torch.float64) + 10)
    for first in range(0, arrivals, 1000):
        pairs = torch.multinomial(weights, 2000, replacement=True, generator=generator).tolist()
        kinds = torch.randint(100, (1000,), generator=generator).tolist()
        days = torch.randint(1000, (1000,), generator=generator).tolist()
        for number in range(min(1000, arrivals - first)):
            key, one, other = f"c{first + number}", f"n{pairs[2 * number]}", f"n{pairs[2 * number + 1]}"
            row: dict[str, Any] = {"key": key, "source": "crowd", "day": days[number], "text": f"{one} likes {other}"}
            end = len(row["text"])
            row["claims"] = [[[0, len(one), "name"], "likes", [end - len(other), end, "name"], True]]
            if kinds[number] < 3 and number:
                row |= {"text": "", "claims": [], "retracts": f"c{first + days[number] % number}"}
            line = json.dumps(row)
            yield line[: len(line) // 2] if kinds[number] >= 98 else line


def debian(packages: Iterable[Package], updates: Iterable[Package] = ()) -> Iterator[Reading]:
    """Yield a record for each package, and then for each update: what a version needs, and no longer needs.

    Day 0 is that of the packages, day 1 that of the updates. What an update no longer asks for it denies.
    """
    before: dict[str, tuple[str, ...]] = {}
    for day, listed in enumerate((packages, updates)):
        for package in listed:
            needs = _needs(package)
            dropped = tuple(name for name in before.get(package.name, ()) if name not in set(needs))
            before[package.name] = needs
            yield _package(package, day, needs, dropped)


def _needs(package: Package) -> tuple[str, ...]:
    wanted = choices(package.depends) + choices(package.recommends)
    return tuple(dict.fromkeys(name for names in wanted for name in names if name != package.name))


def _package(package: Package, day: int, needs: tuple[str, ...], dropped: tuple[str, ...]) -> Reading:
    key = f"{package.name} {package.version} of day {day}"  # 968 of the updates have the version that was there
    text, claims = f"{package.name} needs", []
    subject = Mention(0, len(package.name), package.name, "package")
    for names, holds in ((needs, True), (dropped, False)):
        text += "" if holds or not names else ", and no longer"
        for name in names:
            object = Mention(len(text) + 1, len(text) + 1 + len(name), name, "package")
            text += f" {name}"
            claims.append(Claim(key, subject, "needs", object, day, holds))
    return Reading(Record(key, "debian", day, text), tuple(claims))


def debian_stream() -> Iterator[Reading]:
    """Yield Debian 12's packages and then its updates.

    Raises:
        DataError: the lists are not there.
    """
    return debian(read_packages(), read_updates())


def messages() -> Iterator[Reading]:
    """Yield CollegeMsg's messages in the order of their file; a day is a minute here, counted from the first of them.

    Raises:
        DataError: the file is not there.
    """
    path = find_folder("collegemsg", ["collegemsg.csv.gz"]) / "collegemsg.csv.gz"
    if not path.exists():
        raise DataError(
            f"{path} is not there: set SPRINTS_DATA to a folder that holds collegemsg/collegemsg.csv.gz, the columns "
            "Source, Target and Timestamp of https://snap.stanford.edu/data/CollegeMsg.html"
        )
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        first = None
        for number, row in enumerate(csv.DictReader(file)):
            moment = datetime.strptime(row["Timestamp"], "%m/%d/%y %I:%M %p")
            first = moment if first is None else first
            one, other = row["Source"], row["Target"]
            text, minute = f"{one} wrote to {other}", int((moment - first).total_seconds() // 60)
            mentions = (
                Mention(0, len(one), one, "student"),
                Mention(len(text) - len(other), len(text), other, "student"),
            )
            claim = Claim(f"m{number}", mentions[0], "wrote_to", mentions[1], minute)
            yield Reading(Record(f"m{number}", "college", minute, text), (claim,))


def batches(arrivals: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """Yield lists of at most so many arrivals, without holding more of them."""
    while batch := list(islice(arrivals, size)):
        yield batch
