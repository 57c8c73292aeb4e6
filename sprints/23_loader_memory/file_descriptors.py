"""Too many open files, and a /dev/shm that is too small: two famous errors, made on purpose in a process, and mended.

    uv run sprints/23_loader_memory/file_descriptors.py

The limits hold for the processes that are started here and end with them. A small /dev/shm is mounted for one of them
alone; where the system forbids that, the script says so. Linux only. Theory: notes/05_two_famous_errors.md
"""

import re
from dataclasses import dataclass, replace
from typing import Any

from torch.utils.data import Dataset

from memory_study.limits import Blocks, CutOff, Kept, keep_batches
from memory_study.memory import check_linux
from memory_study.processes import in_a_process
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    batches: PositiveInt = 100  # batches of an epoch, all of them kept
    open_files: PositiveInt = 64  # files that the process may have open
    shared_megabytes: PositiveInt = 4  # size of its /dev/shm
    seconds: PositiveFloat = 5.0  # after which a batch that does not come is an error

    def check(self) -> None:
        check_linux()
        if self.open_files < 32:
            raise ValueError(f"--open-files must be at least 32, for Python itself has some; got {self.open_files}")


@dataclass(frozen=True)
class Results:
    open_files: dict[str, Kept]
    shared_memory: dict[str, Kept]
    refused: str  # why this system allows no small /dev/shm; empty if it does


def kept(data: Dataset, **options: Any) -> Kept:
    """Keep batches in a forked process; numbers of processes are taken out of what it says."""
    names = ("strategy", "workers", "clone", "open_files", "shared_bytes", "timeout")
    defaults = {"strategy": "file_descriptor", "workers": 1, "clone": False, "timeout": 0.0}
    found = in_a_process("fork", keep_batches, data, *((defaults | options).get(name) for name in names))

    def plain(words: str) -> str:
        return re.sub(r"torch_[\d_]+", "torch_...", re.sub(r"\(pid\(?s?\)? ?[\d, ]+\)", "(pid ...)", words))

    return replace(found, error=plain(found.error), worker=plain(found.worker))


def main(config: Config) -> Results:
    check_linux()
    small, limit = Blocks(config.batches, 1000), {"open_files": config.open_files}
    open_files = {
        "kept as they come": kept(small, **limit),
        "copies kept": kept(small, clone=True, **limit),
        "sent by name": kept(small, strategy="file_system", **limit),
        "a higher limit": kept(small, open_files=config.open_files + 2 * config.batches),
    }
    size = config.shared_megabytes * 2**20
    little = {"shared_bytes": size, "timeout": config.seconds}
    shared_memory, refused = {}, ""
    try:
        shared_memory |= {
            "a batch is larger than /dev/shm": kept(Blocks(8, 2 * size), **little),
            "without workers": kept(Blocks(8, 2 * size), workers=0, shared_bytes=size),
            "small batches, all kept": kept(Blocks(40, size // 8), **little),
            "small batches, copies kept": kept(Blocks(40, size // 8), clone=True, **little),
        }
    except ValueError as fault:
        refused = str(fault)
    shared_memory["memory that is promised and not there"] = kept(CutOff(8, size))
    for title, rows in (("open files", open_files), ("shared memory", shared_memory)):
        for name, row in rows.items():
            print(f"{title}: {name}: {row.batches} batches, {row.open_files} open files, {row.named_files} with a name")
            print("".join(f"    {words}\n" for words in (row.error, row.worker) if words), end="")
    if refused:
        print(refused)
    return Results(open_files, shared_memory, refused)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": Tolerance(relative=0.2, absolute=4)})
