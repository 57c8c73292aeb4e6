"""Options of a script: a frozen dataclass is the whole command line.

    @dataclass(frozen=True)
    class Config(ScriptConfig):
        steps: PositiveInt = 400  # optimizer steps

    config = parse_config(Config)

The script now understands --steps 100, explains itself with --help in the words of the comment, and has the options
that all scripts have. `tyro` reads the command line.
"""

import dataclasses
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import tyro
from pydantic import TypeAdapter, ValidationError

from shared.lab.range_words import ranges_in_words
from shared.lab.ranges import Device, Seed

C = TypeVar("C", bound="ScriptConfig")
# How a script is run; everything else says what it computes.
WAYS_TO_RUN = ("out", "preset", "record", "traceback")


@dataclass(frozen=True)
class ScriptConfig:
    """The options that every script has."""

    # folder for what this run writes (default: runs/SPRINT/SCRIPT)
    out: Path | None = None
    preset: str | None = None  # a named set of options; options that are given override it
    # run the recorded configuration of this name (alone: default) and write its results and figure into the repository
    record: str | None = None
    traceback: bool = False  # show where an error comes from
    seed: Seed = 0  # seed for weights and data
    device: Device = "auto"  # auto, cpu, cuda or mps

    def check(self) -> None:
        """Check what several options must satisfy together; a script says its own here, before any work.

        Raises:
            ValueError: with the rule, the values and the way out.
        """

    def options(self) -> dict[str, Any]:
        """Return the options that say what is computed, by name."""
        names = (field.name for field in dataclasses.fields(self))
        return {name: getattr(self, name) for name in names if name not in WAYS_TO_RUN}


def parse_config(
    config: type[C], argv: Sequence[str] | None = None, presets: Mapping[str, Mapping[str, Any]] | None = None
) -> C:
    """Return the configuration that a command line asks for.

    Args:
        config: a frozen dataclass; the comment behind or above a field is its help. A bool becomes --name / --no-name,
            a tuple takes several values, a Literal one of its own, and whatever may be None takes a value of its other
            type. The field batch_size is --batch-size or --batch_size.
        argv: the words of the command line (default: those of this process).
        presets: values by the name of a preset.

    Raises:
        SystemExit: with code 2 after a sentence that says which option is wrong, or with 0 after --help.
    """
    presets = presets or {}
    words = _name_the_record([*(sys.argv[1:] if argv is None else argv)])
    description = sys.modules[config.__module__].__doc__
    chosen = _parse(config, words, config(), description)
    if chosen.record is not None and chosen.preset is not None:
        refuse(f"--record NAME records the preset of that name; it cannot stand beside --preset {chosen.preset}")
    name = chosen.preset or (chosen.record if chosen.record != "default" else None)
    if name is not None:
        if name not in presets:
            there = f"one of {', '.join(presets)}" if presets else "left out: this script has none"
            refuse(f"a preset must be {there}; got {name!r}")
        chosen = dataclasses.replace(_parse(config, words, config(**presets[name]), description), preset=name)
    # Not before: what is given has to fit the preset that it overrides, not the defaults.
    try:
        chosen.check()
    except ValueError as error:
        refuse(str(error))
    return chosen


def check_recordable(config: ScriptConfig, presets: Mapping[str, Mapping[str, Any]]) -> None:
    """End with a sentence if a configuration that is to be recorded is not, to the letter, a named one."""
    named = type(config)(**presets.get(config.preset or "", {})).options()
    other = [name for name, value in config.options().items() if value != named[name]]
    if other:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in other)
        refuse(
            f"--record {config.record} writes what its named configuration gives, so it takes no other options; got "
            f"{options}: leave --record out to try them, or give them a name among the script's PRESETS"
        )


def refuse(reason: str) -> None:
    """End the program as a wrong option does."""
    print(f"error: {reason}", file=sys.stderr)
    raise SystemExit(2)


def _parse(config: type[C], words: list[str], default: C, description: str | None) -> C:
    """Return the configuration of a command line beside a default one."""
    try:
        parsed = tyro.cli(config, args=words, default=default, description=description)
    except SystemExit as end:
        if not end.code:  # after --help
            print(ranges_in_words(config))
        raise
    hints = get_type_hints(config, include_extras=True)
    for field in dataclasses.fields(config):
        _check_option(field, hints[field.name], getattr(parsed, field.name), words)
    return parsed


def _check_option(field: dataclasses.Field, hint: Any, value: Any, words: list[str]) -> None:
    """End the program if a value is not in the range of its option; tyro reads words as types, and no more."""
    flag = f"--{field.name.replace('_', '-')}"
    if value == () and field.default != ():
        refuse(f"{flag} takes at least one value")
    if value == Path() and {"", f"{flag}="} & {word.replace("_", "-") for word in words}:
        refuse(f"{flag} must be a path; got nothing")
    if not all(math.isfinite(part) for part in (value if isinstance(value, tuple) else (value,)) if _is_float(part)):
        refuse(f"{flag} must be a finite number; got {value}")
    try:
        TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].replace("Input should be", "must be").removeprefix("Value error, ")
        refuse(f"{flag}: {reason}; got {value}")


def _is_float(value: Any) -> bool:
    return isinstance(value, float)


def _name_the_record(words: list[str]) -> list[str]:
    """Return a command line in which a bare --record names the default configuration."""
    named = []
    for place, word in enumerate(words):
        named.append(word)
        if word == "--record" and (place + 1 == len(words) or words[place + 1].startswith("-")):
            named.append("default")
    return named
