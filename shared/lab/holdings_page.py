"""The tables of real data in data/README.md."""

from shared.lab.holdings import Holding, holdings

UNKNOWN = "–"


def holdings_table() -> str:
    """Return a table of all data sets: where each comes from, its licence, its size, how one gets it."""
    rows = [
        "| data | sprints | MB | comes from | licence | how to get it |",
        "|---|---|---|---|---|---|",
        *map(_row, holdings().values()),
    ]
    return "\n".join(rows)


def files_table() -> str:
    """Return a table of all files, with their sizes and checksums."""
    rows = ["| file | bytes | SHA-256 of what it holds |", "|---|---|---|"]
    for holding in holdings().values():
        for file in holding.files:
            size = UNKNOWN if file.size is None else f"{file.size:,}"
            digests = f"`{file.sha256}`" if file.sha256 else UNKNOWN
            if file.recorded:
                digests += f"; the recorded copy `{file.recorded}`"
            rows.append(f"| {holding.folder}/{file.name} | {size} | {digests} |")
    return "\n".join(rows)


def _row(holding: Holding) -> str:
    size = UNKNOWN if holding.size is None else f"{holding.size / 1e6:.1f}"
    origin = holding.origin + (f". {holding.note[0].upper()}{holding.note[1:]}" if holding.note else "")
    numbers = ", ".join(map(str, holding.sprints))
    return f"| `{holding.name}` | {numbers} | {size} | {origin} | {holding.licence} | {holding.advice} |"
