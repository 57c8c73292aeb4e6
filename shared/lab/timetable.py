"""How long the recorded runs of a sprint took, as a passage of its README."""

from collections.abc import Mapping
from typing import Any


def timetable(results: Mapping[str, dict[str, Any]]) -> str:
    """Return a folded table of the recorded runs of a sprint, the quickest first.

    Args:
        results: the contents of the sprint's results files.
    """
    rows = sorted(results.values(), key=lambda content: content["seconds"])
    times = [duration(content["seconds"]) for content in rows]
    lines = [
        f"<details><summary>How long each takes: {times[0]} to {times[-1]}</summary>",
        "",
        "| recorded run | time | threads | processor |",
        "|---|---|---|---|",
    ]
    for content, time in zip(rows, times, strict=True):
        environment = content["environment"]
        lines.append(f"| `{_command(content)}` | {time} | {environment['threads']} | {environment['processor']} |")
    return "\n".join([*lines, "", "</details>"])


def duration(seconds: float | int) -> str:
    """Return a time as one would say it: "0.4 s", "48 s", "7 min", "1 h 5 min"."""
    if seconds < 9.5:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _command(content: dict[str, Any]) -> str:
    """Return the script, and the preset that it ran with."""
    preset = content["command"].rpartition("--record ")[2]
    return content["script"] + ("" if preset == "default" else f" --preset {preset}")
