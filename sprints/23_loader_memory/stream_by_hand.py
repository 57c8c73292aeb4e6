"""What is the state of a shuffled stream? Nine letters through a buffer of three, stopped after four.

    uv run sprints/23_loader_memory/stream_by_hand.py
    uv run sprints/23_loader_memory/stream_by_hand.py --stop 6

And whose state is it that two workers have, who are ahead of the training? Theory: notes/08_a_stream_that_goes_on.md
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from memory_study.streams import Lane
from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run

LETTERS = "abcdefghi"
SIZE = 3
DRAWS = 532  # with these the buffer hands out what that of sprint 2, note 7 does
USED, WAITING = 3, 4  # batches of two lanes: used by the training, and made ahead by two workers


@dataclass(frozen=True)
class Config(ScriptConfig):
    stop: Annotated[int, Field(ge=1, le=len(LETTERS))] = 4  # letters that are used when the run stops


@dataclass(frozen=True)
class Results:
    stop: int
    handed_out: list[str]
    buffers: list[list[str]]  # behind each letter
    next_line: list[int]  # the byte at which the next line begins, behind each letter; 0: the file is at its end
    goes_on: list[str]  # with the buffer
    buffer_anew: list[str]  # without it
    lost: list[str]


def next_of(place: int) -> str:
    """Return the next line and the byte at which it begins; each letter takes two bytes, itself and the line's end."""
    return f"{LETTERS[place // 2]}, {place}" if 0 < place < 2 * len(LETTERS) else "end"


def main(config: Config) -> Results:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "letters.txt"
        path.write_bytes("".join(f"{letter}\n" for letter in LETTERS).encode())

        def new_lane() -> Lane:
            return Lane([path], SIZE, (DRAWS,))

        lane, handed_out, buffers, places, states = new_lane(), [], [], [], []
        for letter in lane:
            handed_out.append(letter)
            buffers.append([line for _, line in lane.buffer])
            places.append(lane.offset)
            states.append(lane.state_dict())
        state = states[config.stop - 1]
        with_buffer, without = new_lane(), new_lane()
        with_buffer.load_state_dict(state)
        without.load_state_dict(state | {"buffer": []})
        goes_on, anew = list(with_buffer), list(without)
    used = handed_out[: config.stop]
    lost = sorted(set(LETTERS) - set(used) - set(anew))
    for letter, buffer, place in zip(handed_out, buffers, places, strict=True):
        print(f"out: {letter}   buffer: {' '.join(buffer) or '-':<7} next: {next_of(place)}")
    print(f"stopped after {' '.join(used)}; goes on with {' '.join(goes_on) or 'nothing'}")
    print(f"with an empty buffer it goes on with {' '.join(anew) or 'nothing'}: {' '.join(lost) or 'nothing'} lost")
    return Results(config.stop, handed_out, buffers, places, goes_on, anew, lost)


def plot(results: Results) -> Figure:
    """Draw the buffer behind each letter, and the batches of two lanes, used, waiting and not made."""
    figure, axes = drawings.canvas(7.9, 4.6)
    size, x, top = 0.44, 1.75, 3.75
    drawings.text(axes, "one lane: what is handed out, and the buffer behind it", 0.1, 4.45, align="left", bold=True)
    for name, down in (("out", 0.5), ("buffer", 2.3), ("next line, byte", 3.85)):
        drawings.text(axes, name, x - 0.1, top - down * size, align="right")
    for step, letter in enumerate(results.handed_out):
        left = x + step * (size + 0.16)
        stopped = step + 1 == results.stop
        drawings.cells(axes, [[letter]], left, top, colour=COLOURS[1], size=size, strengths=[[0.6]])
        strength = 0.75 if stopped else 0.25
        column = [[held] for held in results.buffers[step]]
        if column:
            shades = [[strength]] * len(column)
            drawings.cells(
                axes,
                column,
                left + 0.15 * size,
                top - 1.25 * size,
                colour=COLOURS[2],
                size=size * 0.7,
                strengths=shades,
            )
        drawings.text(axes, next_of(results.next_line[step]), left + size / 2, top - 3.85 * size, bold=stopped)
    end = x + results.stop * (size + 0.16) - 0.08
    axes.plot([end, end], [top - 4.2 * size, top + 0.1], color="black", linestyle="--", linewidth=1)
    drawings.text(axes, "stopped here", end, top + 0.24)
    drawings.text(axes, "two lanes, a worker each, two batches ahead", 0.1, 1.5, align="left", bold=True)
    names = ("A1", "B1", "A2", "B2", "A3", "B3", "A4", "B4")
    for place, name in enumerate(names):
        used, made = place < USED, place < USED + WAITING
        colour, strength = (COLOURS[1], 0.6) if used else (COLOURS[2], 0.4) if made else (drawings.TOKEN, 0.1)
        cell = (x + place * 0.72, 1.2)
        drawings.cells(axes, [[name]], *cell, colour=colour, size=0.6, strengths=[[strength]])
    for first, last, words in ((0, 3, "used"), (3, 7, "made, waiting"), (7, 8, "not made")):
        middle = x + (first + last) * 0.36 - 0.06
        drawings.text(axes, words, middle, 0.42)
    note = "saved: lane A behind A2, lane B behind B1; the turn is B's"
    drawings.text(axes, note, x, 0.12, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
