"""From the options of a script to the settings that a part of it needs."""

from dataclasses import fields
from typing import Any, TypeVar

from shared.lab.config import ScriptConfig

T = TypeVar("T")


def from_options(kind: type[T], config: ScriptConfig, **others: Any) -> T:
    """Return a dataclass whose fields have the values of the options of the same name.

    Args:
        kind: the dataclass.
        config: the script's options.
        others: fields that are no options, such as the device.
    """
    options = config.options()
    names = [field.name for field in fields(kind) if field.name not in others]  # ty: ignore[invalid-argument-type]
    return kind(**{name: options[name] for name in names}, **others)
