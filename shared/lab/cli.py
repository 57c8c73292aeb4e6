"""The command `sprints`: the curriculum, exercises, pages and figures.

Each command imports what it needs when it is called: a page is checked without PyTorch.
"""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Learn deep learning by running it.", add_completion=False)


@app.callback(invoke_without_command=True)
def _curriculum(context: typer.Context) -> None:
    """Show the sprints, what is done and what is next."""


@app.command()
def pages(
    files: Annotated[list[Path] | None, typer.Argument(help="Pages (default: all of the repository).")] = None,
    check: Annotated[bool, typer.Option("--check", help="Fail if a page is stale.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Bring the pages up to date.")] = False,
) -> None:
    """Check that the numbers of pages are those of the results files, or write them."""
    if check == write:
        raise typer.BadParameter("give either --check or --write")
    from shared.lab.pages import bring_up_to_date

    report = bring_up_to_date(files, write=write)
    for stale in report.stale:
        typer.echo(f"{stale} {'written' if write else 'is stale: run `sprints pages --write`'}")
    for error in report.errors:
        typer.echo(error, err=True)
    if report.errors or (report.stale and check):
        raise typer.Exit(1)
