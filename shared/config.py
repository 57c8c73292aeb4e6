"""Options of a script: a frozen dataclass is the whole command line.

    @dataclass(frozen=True)
    class Config(ScriptConfig):
        steps: int = option(400, "optimizer steps")

    config = parse_config(Config)

The script now understands --steps 100, explains itself with --help, and has the options that all scripts have.
"""

import argparse
import dataclasses
import re
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def option(default: Any, help: str, *, choices: Sequence[Any] | None = None) -> Any:
    """Return a dataclass field with a default value, a line of help and, if it has few values, their list."""
    return dataclasses.field(default=default, metadata={"help": help, "choices": choices})


@dataclass(frozen=True)
class ScriptConfig:
    """The options that every script has."""

    out: Path | None = option(None, "folder for results and figures (default: the script's own)")
    seed: int = option(0, "seed for weights and data")
    device: str = option("auto", "auto, cpu, cuda or mps")


def parse_config(
    config: type[T], argv: Sequence[str] | None = None, presets: Mapping[str, Mapping[str, Any]] | None = None
) -> T:
    """Return the configuration that a command line asks for.

    Args:
        config: a frozen dataclass whose fields are made with `option`. A bool becomes --name / --no-name, a tuple takes
            several values, a Literal one of its own, and whatever may be None takes a value of its other type.
            The field batch_size is --batch-size or --batch_size.
        argv: the words of the command line (default: those of this process).
        presets: values by preset name for a config with a `preset` field; options that are given override them.

    Raises:
        SystemExit: a wrong option (argparse prints what is wrong), or --help.
    """
    words = [_kebab(word) for word in (sys.argv[1:] if argv is None else argv)]
    parser = argparse.ArgumentParser(
        description=sys.modules[config.__module__].__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        # A shortened name would change its meaning when a script gets another option.
        allow_abbrev=False,
    )
    hints = get_type_hints(config)
    for field in dataclasses.fields(config):  # ty: ignore[invalid-argument-type]
        _add_argument(parser, field, hints[field.name])
    if presets:
        chosen = vars(parser.parse_args(words))["preset"]
        if chosen is not None and chosen not in presets:
            parser.error(f"argument --preset: must be one of {', '.join(presets)}; got {chosen!r}")
        parser.set_defaults(**presets.get(chosen, {}))
    return config(**vars(parser.parse_args(words)))


def _kebab(word: str) -> str:
    """Return a word of the command line with dashes in the option's name, if it is an option."""
    return re.sub(r"^--\w[\w-]*", lambda option: option[0].replace("_", "-"), word)


def _add_argument(parser: argparse.ArgumentParser, field: dataclasses.Field, hint: Any) -> None:
    flag = f"--{field.name.replace('_', '-')}"
    shown = "" if field.default is None else f" (default: {field.default})"
    settings: dict[str, Any] = {"default": field.default, "help": (field.metadata["help"] + shown).replace("%", "%%")}
    if field.metadata["choices"]:
        settings["choices"] = field.metadata["choices"]
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(part for part in get_args(hint) if part is not types.NoneType)
    if get_origin(hint) is Literal:
        settings |= {"type": type(get_args(hint)[0]), "choices": get_args(hint)}
    elif hint is bool:
        settings["action"] = argparse.BooleanOptionalAction
    elif get_origin(hint) is tuple:
        # argparse collects a list; a frozen config holds a tuple.
        settings |= {"type": get_args(hint)[0], "nargs": "+", "action": _StoreTuple}
    else:
        settings["type"] = hint
    parser.add_argument(flag, dest=field.name, **settings)


class _StoreTuple(argparse.Action):
    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 (the signature is argparse's)
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        setattr(namespace, self.dest, tuple(values))
