"""Which real data is there, how does one get the rest, and is it what scripts expect?

    uv run data/get.py                      # every data set: where it comes from, how large it is, how to get it
    uv run data/get.py febrl FOLDER         # get one, or `all` that a program can get; then set SPRINTS_DATA to FOLDER
    uv run data/get.py --check FOLDER       # there, missing or different: by the checksum of every file
    uv run data/get.py debian FOLDER --given Packages.xz --given Translation-en.xz

data/README.md has the table. Nothing here is needed to start: every default works offline.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from shared.lab.datasets import VARIABLE, DataError
from shared.lab.getting import get, repack, write_packed
from shared.lab.holdings import Holding, examine, holdings
from shared.text.debian_lists import apt_lists, package_table

Files = Annotated[list[Path] | None, typer.Option(help="A file that the data set is made of; may be said again.")]


def main(
    name: Annotated[str | None, typer.Argument(help="A data set, or all that a program can get.")] = None,
    folder: Annotated[Path | None, typer.Argument(help="The folder of real data.")] = None,
    given: Files = None,
    updates: Annotated[list[Path] | None, typer.Option(help="The same for Debian's newer versions.")] = None,
    check: Annotated[Path | None, typer.Option(help="Look at a folder of real data.", metavar="FOLDER")] = None,
) -> None:
    """Say which real data sets there are, get one, or check a folder that holds them."""
    console = Console(soft_wrap=True, highlight=False)
    if check is not None:
        raise typer.Exit(_show_states(check, console))
    if name is None:
        _show_all(console)
    elif folder is None:
        raise typer.BadParameter(f"say where to put it: `uv run data/get.py {name} FOLDER`")
    else:
        raise typer.Exit(_get(_chosen(name), folder, given or [], updates or [], console))


def _chosen(name: str) -> list[Holding]:
    """Return the data sets of a name; all are those that need nothing from whoever asks."""
    if name == "all":
        return [holding for holding in holdings().values() if holding.source or holding.package]
    if name not in holdings():
        raise typer.BadParameter(f"data must be one of {', '.join(holdings())}, or all; got {name!r}")
    return [holdings()[name]]


def _get(chosen: list[Holding], folder: Path, given: list[Path], updates: list[Path], console: Console) -> int:
    """Get data sets one after the other; return how many cannot be had."""
    failed = 0
    for holding in chosen:
        try:
            state = get(holding, folder, _maker(holding, given, updates))
        except DataError as error:
            failed += 1
            console.print(f"{holding.name}: {error}", style="red", markup=False)
        else:
            console.print(f"{holding.name}: {state.words}", markup=False)
    if failed < len(chosen):
        console.print(f"Scripts find it after `export {VARIABLE}={folder.absolute()}`", markup=False)
    return min(failed, 1)


def _maker(holding: Holding, given: list[Path], updates: list[Path]) -> Callable[[Path], None] | None:
    """Return what makes a data set of files, or None if they lack or it is not made of any."""

    def debian(target: Path) -> None:
        lists = (given, updates) if given else apt_lists()
        for name, chosen in zip(("packages.tsv.gz", "updates.tsv.gz"), lists, strict=True):
            if chosen:
                write_packed(package_table(chosen).encode(), target / name)

    if holding.name == "debian":
        return debian
    if holding.name == "foldoc" and len(given) == 1:
        return lambda target: repack(given[0], target / "foldoc.txt.gz")
    return None


def _show_states(folder: Path, console: Console) -> int:
    """Show of each data set whether a folder holds it; return 1 if a file is another one than is meant."""
    states = [examine(holding, folder) for holding in holdings().values()]
    width = max(map(len, holdings()))
    for state in states:
        style = "red" if state.different else "yellow" if state.missing else "green"
        console.print(f"{state.holding.name:<{width}}  {state.words}", style=style, markup=False)
    return int(any(state.different for state in states))


def _show_all(console: Console) -> None:
    """Show what there is, and how to get it."""
    for holding in holdings().values():
        size = "" if holding.size is None else f", {holding.size / 1e6:.1f} MB"
        numbers = ", ".join(map(str, holding.sprints))
        console.print(f"[bold]{holding.name}[/bold]{size}, sprint{'s' * (len(holding.sprints) > 1)} {numbers}")
        console.print(f"    {holding.advice}", markup=False)


if __name__ == "__main__":
    typer.run(main)
