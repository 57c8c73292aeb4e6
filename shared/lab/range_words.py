"""Ranges in words, for --help."""

import dataclasses
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from shared.lab.ranges import MOST

# Ends that are there because numbers have to end somewhere.
FAR = {MOST, 2**31, 2**63, 3e38}
WORDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "multipleOf": "a multiple of {}",
}


def ranges_in_words(config: type[Any]) -> str:
    """Return what is allowed for each option of a script that has a range, one line each; "" if none has."""
    lines = []
    for field in dataclasses.fields(config):
        if said := in_words(get_type_hints(config, include_extras=True)[field.name]):
            lines.append(f"  --{field.name.replace('_', '-')}: {said}")
    return "\n".join(["ranges", *lines]) if lines else ""


def in_words(hint: Any) -> str:
    """Return the range of a type; that of its elements for a tuple, "" for a type without one."""
    schema = TypeAdapter(hint).json_schema()
    parts = [schema, *schema.get("anyOf", []), *schema.get("prefixItems", [])]
    parts += [part["items"] for part in parts if isinstance(part.get("items"), dict)]
    for part in parts:
        if said := [words.format(f"{part[key]:g}") for key, words in WORDS.items() if part.get(key, MOST) not in FAR]:
            return ", ".join(said)
    return ""
