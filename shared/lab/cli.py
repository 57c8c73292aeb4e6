"""The command `sprints`: the curriculum, exercises, pages and figures.

Each command imports what it needs when it is called: a page is checked without PyTorch.
"""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from shared.lab.faults import as_bad_parameter


class _Sprints(TyperGroup):
    """The commands; the curriculum is what `sprints` alone shows."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["curriculum"])


app = typer.Typer(cls=_Sprints, help="Learn deep learning by running it.", add_completion=False)


@app.command()
def curriculum() -> None:
    """Show the sprints, what is done and what is next."""
    from rich.console import Console

    from shared.lab.curriculum import all_sprints, show_curriculum

    show_curriculum(all_sprints(), Console())


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

    report = bring_up_to_date(files or None, write=write)
    for stale in report.stale:
        typer.echo(f"{stale} {'written' if write else 'is stale: run `sprints pages --write`'}")
    for error in report.errors:
        typer.echo(error, err=True)
    if report.errors or (report.stale and check):
        raise typer.Exit(1)


@app.command()
def reproduce(
    what: Annotated[str | None, typer.Argument(help="A sprint (06) or a script (06/why_heads); default: all.")] = None,
    at_most: Annotated[float | None, typer.Option(help="Leave out what took more seconds.", metavar="SECONDS")] = None,
    restamp: Annotated[bool, typer.Option("--restamp", help="Renew the provenance of what agrees.")] = False,
    record: Annotated[bool, typer.Option("--record", help="Replace what agrees by the new figures and times.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Run nothing: list the results that are stale.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="With --check: fail if any is.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Do not reuse runs that are up to date.")] = False,
) -> None:
    """Run recorded configurations again and compare every figure with the recorded one."""
    from shared.lab import reproduce as reproducing
    from shared.lab.recorded import recorded_results, show_stale

    if (strict and not check) or (check and (restamp or record or again)) or (restamp and record):
        raise typer.BadParameter("--strict goes with --check; --check stands alone; --restamp or --record, not both")
    with as_bad_parameter():
        if check:
            results = recorded_results(what)
            stale = show_stale(result for result in results if at_most is None or result.seconds <= at_most)
            raise typer.Exit(int(strict and stale > 0))
        after = reproducing.restamp if restamp else reproducing.record if record else None
        outcomes = reproducing.reproduce(what, at_most=at_most, after=after, reuse=not again)
    agreeing = sum(outcome.agrees for outcome in outcomes)
    typer.echo(f"{agreeing} of {len(outcomes)} results agree with what was recorded")
    raise typer.Exit(int(agreeing < len(outcomes)))


@app.command()
def figures(
    what: Annotated[str | None, typer.Argument(help="A sprint (06) or a script (06/why_heads); default: all.")] = None,
) -> None:
    """Draw the recorded figures again from their results files."""
    from shared.lab.paths import shown
    from shared.lab.redrawing import redraw

    problems = 0
    with as_bad_parameter():
        for figure in redraw(what):
            problems += figure.problem is not None
            typer.echo(f"{shown(figure.path)}: {figure.problem or ('drawn anew' if figure.changed else 'as it was')}")
    raise typer.Exit(int(problems > 0))


@app.command()
def glossary(
    check: Annotated[bool, typer.Option("--check", help="Fail if a term is used before it is explained.")] = False,
) -> None:
    """Show the terms of the glossary in the order in which a reader meets them."""
    from rich.console import Console

    from shared.lab.glossary import first_uses, pages_in_order, read_glossary, show_first_uses
    from shared.lab.paths import SPRINTS

    with as_bad_parameter():
        uses = first_uses(read_glossary(SPRINTS / "GLOSSARY.md"), pages_in_order(SPRINTS))
    early = [use for use in uses if use.early]
    show_first_uses(early if check else uses, Console())
    typer.echo(f"{len(early)} of {len(uses)} terms are used before they are explained")
    raise typer.Exit(int(check and bool(early)))


@app.command()
def doctor() -> None:
    """Show what this machine has, and what it costs to lack something."""
    from rich.console import Console

    from shared.lab.doctor import examine_machine, show_findings

    show_findings(examine_machine(), Console())


@app.command(context_settings={"ignore_unknown_options": True})
def newest(
    tests: Annotated[list[str] | None, typer.Argument(help="Words for pytest: files, -x, ... (default: all).")] = None,
    only: Annotated[list[str] | None, typer.Option(help="A package that may change (default: all).")] = None,
    resolve_only: Annotated[bool, typer.Option("--resolve-only", help="Say what changes; run nothing.")] = False,
) -> None:
    """Try the newest versions of all dependencies in a copy: what changes, and which tests break?"""
    from shared.lab.paths import ROOT
    from shared.lab.upgrading import try_newest

    with as_bad_parameter():
        well = try_newest(ROOT, tests or [], only or [], resolve_only, typer.echo)
    raise typer.Exit(int(not well))


@app.command()
def start(number: Annotated[str, typer.Argument(help="A sprint (06) or one of its exercises (06.2).")]) -> None:
    """Copy the exercises of a sprint to workbook/, where you fill them in."""
    from rich.console import Console

    from shared.lab import terminal

    for exercise in _exercises(number):
        terminal.show_started(exercise, exercise.start(), Console())


@app.command()
def check(number: Annotated[str, typer.Argument(help="A sprint (06) or one of its exercises (06.2).")]) -> None:
    """Run the checks of exercises on your files in workbook/."""
    from rich.console import Console

    from shared.lab import terminal

    passed = True
    for exercise in _exercises(number):
        with as_bad_parameter():
            examination = exercise.check()
        terminal.show_examination(exercise, examination, Console())
        passed &= examination.passed
    raise typer.Exit(int(not passed))


@app.command()
def hint(number: Annotated[str, typer.Argument(help="An exercise (06.2).")]) -> None:
    """Show the next hint for an exercise."""
    from rich.console import Console

    from shared.lab import terminal

    for exercise in _exercises(number):
        terminal.show_hint(exercise, *exercise.next_hint(), Console())


@app.command()
def solution(number: Annotated[str, typer.Argument(help="An exercise (06.2).")]) -> None:
    """Show the solution of an exercise."""
    from rich.console import Console

    from shared.lab import terminal

    for exercise in _exercises(number):
        terminal.show_solution(exercise, Console())


def _exercises(number: str) -> list[Any]:
    """Return the exercises of a number."""
    from shared.lab.exercises import find_exercises

    with as_bad_parameter():
        return find_exercises(number)
