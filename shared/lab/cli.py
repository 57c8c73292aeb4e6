"""The command `sprints`: the curriculum, pages, figures, exercises and what this machine can do."""

import typer

app = typer.Typer(help="The course from the command line.", no_args_is_help=False, add_completion=False)


@app.callback(invoke_without_command=True)
def curriculum(context: typer.Context) -> None:
    """Show the sprints, what is done and what is next."""
