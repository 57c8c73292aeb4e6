"""Which values an option may take: types for the fields of a script's Config.

    steps: PositiveInt = 400  # optimizer steps
    dropout: Share = 0.1  # probability of dropping a feature

`parse_config` refuses any other value with a sentence that says which ones fit. Numbers are finite in any case.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

# Whole numbers; PyTorch counts in 64 bits, and no option needs more than 31 of them.
MOST = 2**31 - 1
NonNegativeInt = Annotated[int, Field(ge=0, le=MOST)]
PositiveInt = Annotated[int, Field(ge=1, le=MOST)]
AtLeastTwo = Annotated[int, Field(ge=2, le=MOST)]
Even = Annotated[int, Field(ge=2, le=MOST, multiple_of=2)]  # of what comes in pairs: sinusoids, rotations
Folds = Annotated[int, Field(ge=2, le=100)]  # parts of the data, of which each validates once
Processes = Annotated[int, Field(ge=1, le=64)]
Port = Annotated[int, Field(ge=1, le=65535)]  # of a page that is served
Seconds = Annotated[float, Field(ge=0, le=1e8)]  # that it is served
Seed = Annotated[int, Field(ge=0, lt=2**31)]  # the sum of two of them is what NumPy takes
# PyTorch computes in float32, which ends at 3.4e38.
NonNegativeFloat = Annotated[float, Field(ge=0, le=3e38)]
PositiveFloat = Annotated[float, Field(gt=0, le=3e38)]
Fraction = Annotated[float, Field(ge=0, le=1)]  # from 0 to 1, both included
OpenFraction = Annotated[float, Field(gt=0, lt=1)]  # between 0 and 1
Share = Annotated[float, Field(ge=0, lt=1)]  # from 0 to below 1: of what may not be all, dropout for example
PositiveFraction = Annotated[float, Field(gt=0, le=1)]  # above 0, to 1


def _existing_file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"there is no such file{' (it is a folder)' if path.is_dir() else ''}")
    return path


def _existing_folder(path: Path) -> Path:
    if not path.is_dir():
        raise ValueError(f"there is no such folder{' (it is a file)' if path.is_file() else ''}")
    return path


def _present_device(name: str) -> str:
    from shared.lab.runtime import pick_device  # --help should not wait for PyTorch

    pick_device(name)
    return name


def _different(values: tuple) -> tuple:
    if len(set(values)) < len(values):
        raise ValueError("the values must differ from each other: what is there twice would count twice")
    return values


ExistingFile = Annotated[Path, AfterValidator(_existing_file)]
ExistingFolder = Annotated[Path, AfterValidator(_existing_folder)]
Device = Annotated[str, AfterValidator(_present_device)]
Different = AfterValidator(_different)  # of a tuple: Annotated[tuple[PositiveInt, ...], Different]
Seeds = Annotated[tuple[Annotated[int, Field(ge=0, lt=2**31)], ...], Different]  # a run for each; --seed may be added


def check_heads(d_model: int, *heads: int) -> None:
    """Check that the features of a token can be shared out among attention heads.

    Raises:
        ValueError: a number of heads does not divide d_model.
    """
    for count in heads:
        if d_model % count:
            nearest = count * max(1, round(d_model / count))
            raise ValueError(
                f"each head gets an equal share of d_model; got {count} heads and d_model {d_model}: "
                f"give another number of --heads, or --d-model {nearest}"
            )
