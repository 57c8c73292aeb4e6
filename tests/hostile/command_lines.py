"""Bad command lines, made of a script's own options: what people type by mistake, and what is typed to break things.

A command line that is in no range, names no choice or cannot be read must be refused. One whose values are allowed but
stand at the edge of what is (the smallest number, a rate of 1e-300) is run: it may work, or be refused.
"""

import contextlib
import dataclasses
import io
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from shared.lab.config import WAYS_TO_RUN, ScriptConfig, parse_config
from shared.lab.modules import load_module
from shared.lab.paths import ROOT

NUMBERS: dict[type, tuple[str, ...]] = {
    int: ("-1", "0", "1", "2147483648", "1" + "0" * 30),
    float: ("-1", "0", "1e-300", "1", "2", "1e300", "nan", "inf", "-inf"),
}
NEVER = {"1" + "0" * 30, "2147483648", "nan", "inf", "-inf"}  # no option takes these, whatever its range says
# Options that take negative numbers: an offset, an angle, exponents, a signal whose sign counts.
SIGNED = ("offset", "degrees", "powers", "signals")
# What two options must satisfy together, by their names; a script that has both must refuse them.
PAIRS = (
    ("heads", "3", "d_model", "32"),
    ("heads", "4", "key_value_heads", "3"),
    ("shortest", "9", "longest", "3"),
    ("fit_from", "1000000", "lengths", "8"),
)


@dataclass(frozen=True)
class CommandLine:
    """Words for a script, what is bad about them, and whether they must be refused."""

    script: Path
    kind: str
    words: tuple[str, ...]
    must_be_refused: bool = True

    def __str__(self) -> str:
        return f"{self.script.relative_to(ROOT)} {' '.join(word or repr('') for word in self.words)}"


def scripts(pattern: str = "*") -> list[Path]:
    """Return the scripts whose path below sprints/ fits a pattern, such as "06_*/*" or "*/train"."""
    every = sorted((ROOT / "sprints").glob("*/*.py"))
    return [path for path in every if fnmatch(path.relative_to(ROOT / "sprints").with_suffix("").as_posix(), pattern)]


def bad_command_lines(script: Path) -> Iterator[CommandLine]:
    """Yield the bad command lines of a script."""
    config = load_module(script).Config
    hints = typing.get_type_hints(config, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(config) if field.name not in WAYS_TO_RUN}
    for name, field in fields.items():
        signed = name in SIGNED
        for kind, values, must in _bad_values(hints[name], field.default, signed):
            yield CommandLine(script, kind, (_flag(name), *values), must)
    for one, value, other, beside in PAIRS:
        if {one, other} <= set(fields):
            yield CommandLine(script, "conflicting pair", (_flag(one), value, _flag(other), beside))
    yield from _of_every_script(script, next(iter(fields)))


def _of_every_script(script: Path, some: str) -> Iterator[CommandLine]:
    """Yield what is wrong with any script."""
    for kind, words in (
        ("unknown option", ("--no-such-option", "1")),
        ("stray word", ("stray",)),
        ("unknown preset", ("--preset", "no such preset")),
        ("unknown preset", ("--record", "no such preset")),
        ("record beside a preset", ("--record", "--preset", "small")),
        ("record with options", ("--record", "--seed", "1")),
        ("no such device", ("--device", "cpu:7")),
        ("no such device", ("--device", "cuda:99")),
        ("no such device", ("--device", "tpu")),
        ("no such device", ("--device", "")),
        ("out cannot be written", ("--out", "")),
        ("out cannot be written", ("--out", "{file}")),
        ("out cannot be written", ("--out", "{file}/below")),
        ("out cannot be written", ("--out", "/proc/nowhere")),
        ("missing value", (_flag(some), "--seed", "1")),
    ):
        if words[0] != _flag(some) or some != "seed":
            yield CommandLine(script, kind, words)


def _bad_values(hint: Any, default: Any, signed: bool) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    """Yield a kind, words, and whether they must be refused, for an option of some type."""
    kind, many = _plain(hint)
    if many:
        yield "no value", (), default != ()
    if kind is bool:
        yield "value to a flag", ("3",), True
    elif typing.get_origin(kind) is Literal:
        yield "unknown choice", ("no such choice",), True
        yield "unknown choice", ("",), True
    elif kind in NUMBERS:
        for word in ("seven", "", "0x1F", "1,5"):
            yield "not a number", (word,), True
        for word in NUMBERS[kind]:
            inside = word not in NEVER and _allows(hint, kind(word), many)
            # A number without a range would take -1: every option has one that says more.
            negative = word == "-1" and not signed and not (isinstance(default, float | int) and default < 0)
            bad = negative or not inside
            yield ("out of range" if bad else "at the edge"), (word,), bad
    elif kind is Path:
        must = "Validator" in str(hint)
        yield "missing file", ("no/such/file",), must
        yield "missing file", ("",), True
        yield "wrong kind of file", ("{folder}" if "_existing_file" in str(hint) else "{file}",), must
    elif kind is str:
        yield "any word", ("no such thing",), False
        yield "any word", ("",), False


def _plain(hint: Any) -> tuple[Any, bool]:
    """Return the type of a value without its range, and whether an option takes many of them."""
    while typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return _plain(next(part for part in typing.get_args(hint) if part is not type(None)))
    if typing.get_origin(hint) is tuple:
        return _plain(typing.get_args(hint)[0])[0], True
    return hint, False


def _allows(hint: Any, value: float, many: bool) -> bool:
    with contextlib.suppress(ValidationError):
        TypeAdapter(hint).validate_python((value,) if many else value)
        return True
    return False


def refusal(config: type[ScriptConfig], words: tuple[str, ...], presets: Any) -> str | None:
    """Return what a command line is refused with before any work, or None if it is accepted."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            parse_config(config, words, presets)
    except SystemExit as end:
        return said.getvalue() if end.code == 2 else f"exit code {end.code}"
    return None


def smallest(script: Path) -> dict[str, tuple[str, ...]]:
    """Return the words of the smallest options of a script that go together, by the name of the option."""
    module = load_module(script)
    chosen: dict[str, tuple[str, ...]] = {}
    for field in dataclasses.fields(module.Config):
        value = field.default[:1] if isinstance(field.default, tuple) else field.default
        if isinstance(value, int) and not isinstance(value, bool):
            value = min(value, 2)
        if value != field.default and field.name not in WAYS_TO_RUN:
            words = (_flag(field.name), *map(str, value if isinstance(value, tuple) else [value]))
            every = [word for group in (*chosen.values(), words) for word in group]
            if refusal(module.Config, tuple(every), {}) is None:
                chosen[field.name] = words
    return chosen


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
