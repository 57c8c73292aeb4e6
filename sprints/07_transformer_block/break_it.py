"""Which check notices which fault? Sound blocks pass all of them, and each fault turns its own red.

    uv run sprints/07_transformer_block/break_it.py

Every kind of block, alone and stacked, is wrapped as a little model and put through the invariants of
`shared/checks/invariants.py`; then one model is broken on purpose, in many ways. Theory: notes/11_what_must_hold.md
"""

from dataclasses import dataclass
from typing import Literal

from tqdm import tqdm

from block_study.faults import FAULTS
from block_study.little_models import CHECKS, MODELS, checks_of, complaint
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

# The models of `MODELS` that have everything that can be broken.
Translator = Literal["DecoderBlock, pre, 1", "DecoderBlock, pre, 3", "DecoderBlock, post, 1", "DecoderBlock, post, 3"]


@dataclass(frozen=True)
class Config(ScriptConfig):
    broken: Translator = "DecoderBlock, pre, 1"  # the model that is broken
    steps: PositiveInt = 200  # steps in which one batch has to be learnt by heart


@dataclass(frozen=True)
class Results:
    """What the checks say: None if they are content, else their complaint.

    Args:
        sound: by model and check; a check that has no meaning for a model is not there.
        broken: by fault and check.
        marks: the same as a table: "red" or "".
        noticed: by fault, how many checks complain.
    """

    sound: dict[str, dict[str, str | None]]
    broken: dict[str, dict[str, str | None]]
    marks: dict[str, dict[str, str]]
    noticed: dict[str, int]


def main(config: Config) -> Results:
    sound, broken = {}, {}
    for name, make in tqdm(MODELS.items(), desc="sound models"):
        seed_everything(config.seed)
        checks = checks_of(make(), steps=config.steps)
        sound[name] = {check: complaint(call) for check, call in checks.items()}
        print(f"{name:<24}" + "".join(f"{check}: {words or 'holds'}  " for check, words in sound[name].items()))
    for fault, break_model in tqdm(FAULTS.items(), desc="faults"):
        seed_everything(config.seed)
        model = MODELS[config.broken]()
        loss = break_model(model)
        broken[fault] = {check: complaint(call) for check, call in checks_of(model, loss, config.steps).items()}
        for check, words in broken[fault].items():
            if words is not None:
                print(f"{fault:<42}{check:<14}{words}")
    return Results(
        sound=sound,
        broken=broken,
        marks={fault: {c: "red" if by_check.get(c) else "" for c in CHECKS} for fault, by_check in broken.items()},
        noticed={fault: sum(words is not None for words in by_check.values()) for fault, by_check in broken.items()},
    )


if __name__ == "__main__":
    # Complaints quote numbers, which rounding moves; whether there is one is exact.
    run(main, Config, tolerance={"sound.*": EXACT, "marks.*": EXACT, "noticed.*": EXACT})
