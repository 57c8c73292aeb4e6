"""What the commands about exercises show in a terminal."""

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.syntax import Syntax
from rich.text import Text

from shared.lab.examining import Examination, Outcome
from shared.lab.exercises import Exercise
from shared.lab.paths import shown


def show_started(exercise: Exercise, copied: bool, console: Console) -> None:
    """Show where the learner's file of an exercise is."""
    state = "" if copied else "  (yours, left as it is)"
    console.print(
        f"{exercise.number}  {exercise.title}\n      {shown(exercise.file)}{state}", highlight=False, markup=False
    )


def show_examination(exercise: Exercise, examination: Examination, console: Console) -> None:
    """Show which checks pass, and of the first that fails, why."""
    outcomes = examination.outcomes
    passing = sum(outcome.passed for outcome in outcomes)
    console.print(Text(f"{exercise.number}  {exercise.title}: {passing} of {len(outcomes)} checks pass", "bold"))
    failed = next((outcome for outcome in outcomes if not outcome.passed), None)
    for outcome in outcomes:
        mark = Text("  passed  ", "green") if outcome.passed else Text("  failed  ", "red")
        console.print(mark.append(outcome.check, "default"))
        if outcome is failed:
            _show_failure(outcome, console)
    if failed is not None:
        if examination.printed.strip():
            console.print(Padding(Text("your code printed:\n" + examination.printed.rstrip(), "dim"), (0, 0, 1, 10)))
        hint = f"a hint: `uv run sprints hint {exercise.number}`"
        console.print(f"  {shown(exercise.file)}; {hint}", highlight=False, markup=False)


def _show_failure(outcome: Outcome, console: Console) -> None:
    """Show what is wrong, the input, what was expected and what came."""
    lines = Text(outcome.what + "\n", "bold")
    parts = [*outcome.given.items(), ("expected", outcome.expected), ("received", outcome.received)]
    for name, value in parts:
        if value is not None:
            lines.append(f"\n{name}", {"expected": "green", "received": "red"}.get(name, "cyan"))
            lines.append(f"  {value}\n", "default")
    lines.rstrip()
    console.print(Padding(lines, (1, 0, 1, 10)))


def show_hint(exercise: Exercise, number: int, hint: str, console: Console) -> None:
    """Show a hint and how to get on."""
    console.print(Text(f"{exercise.number}  {exercise.title}: hint {number} of {len(exercise.hints)}\n", "bold"))
    console.print(Padding(Markdown(hint), (0, 0, 1, 4)))
    if number == len(exercise.hints):
        console.print(f"That was the last one. The solution: `uv run sprints solution {exercise.number}`")


def show_solution(exercise: Exercise, console: Console) -> None:
    """Show the reference solution."""
    code = Syntax(exercise.solution, "python", background_color="default").highlight(exercise.solution)
    console.print(code, soft_wrap=True)
