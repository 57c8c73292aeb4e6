"""How often is first fit decreasing not the best? Small cases, in which the fewest rows can be found by search.

    uv run sprints/23_loader_memory/against_the_optimum.py
    uv run sprints/23_loader_memory/against_the_optimum.py --documents 8 --cases 2000

Lengths are uniform between --shortest and --longest, in rows of 100 tokens. Theory: notes/06_packing.md
"""

from dataclasses import dataclass

import torch
from tqdm import tqdm

from memory_study.packing import (
    MOST_SEARCHED,
    fewest_rows,
    first_fit_bound,
    first_fit_decreasing,
    lower_bound,
    next_fit,
)
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

CONTEXT = 100
PRESETS = {
    "two_in_a_row": {"shortest": 34, "longest": 50},  # three are at least 102
    "three_in_a_row": {"shortest": 26, "longest": 50},  # four are at least 104
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    cases: PositiveInt = 500  # random cases
    documents: PositiveInt = 14  # documents of each
    shortest: PositiveInt = 15  # tokens of the shortest document there may be
    longest: PositiveInt = 50  # tokens of the longest

    def check(self) -> None:
        if not self.shortest <= self.longest <= CONTEXT:
            got = f"--shortest {self.shortest} --longest {self.longest}"
            raise ValueError(f"lengths must rise from the shortest to the longest, at most {CONTEXT}; got {got}")
        if self.documents > MOST_SEARCHED:
            raise ValueError(
                f"the optimum is searched for; got --documents {self.documents}: give up to {MOST_SEARCHED}"
            )


@dataclass(frozen=True)
class Results:
    """Of so many cases, by how many rows more than the optimum; and whether the bound ever broke."""

    more_than_optimum: dict[str, dict[str, int]]
    worst_ratio: dict[str, float]
    beyond_the_bound: int
    lower_bound_reached: int
    worst_case: list[int]


def main(config: Config) -> Results:
    generator = torch.Generator().manual_seed(config.seed)
    ways = {"next fit": next_fit, "first fit decreasing": first_fit_decreasing}
    more: dict[str, dict[str, int]] = {name: {"0": 0, "1": 0, "2": 0} for name in ways}
    worst = dict.fromkeys(ways, 1.0)
    beyond = reached = 0
    worst_case: list[int] = []
    for _ in tqdm(range(config.cases), unit="case"):
        drawn = torch.randint(config.shortest, config.longest + 1, (config.documents,), generator=generator)
        lengths = drawn.tolist()
        fewest = fewest_rows(lengths, CONTEXT)
        reached += fewest == lower_bound(lengths, CONTEXT)
        for name, pack in ways.items():
            rows = len(pack(lengths, CONTEXT))
            key = str(rows - fewest)
            more[name][key] = more[name].get(key, 0) + 1
            if name == "first fit decreasing":
                beyond += rows > first_fit_bound(fewest)
                if rows / fewest > worst[name]:
                    worst_case = sorted(lengths, reverse=True)
            worst[name] = max(worst[name], rows / fewest)
    for name, counts in more.items():
        shown = ", ".join(f"{count} with {key} more" for key, count in sorted(counts.items()) if count)
        print(f"{name}: of {config.cases} cases {shown} than the fewest; at worst {worst[name]:.3f} times as many")
    print(f"beyond the bound: {beyond}; the lower bound is the optimum in {reached}")
    print(f"a case in which first fit decreasing is at its worst: {worst_case}")
    return Results(more, worst, beyond, reached, worst_case)


if __name__ == "__main__":
    run(main, Config, presets=PRESETS, tolerance={"*": EXACT})
