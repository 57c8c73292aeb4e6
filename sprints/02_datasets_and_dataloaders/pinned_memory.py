"""What does pin_memory=True do? On a machine without an accelerator nothing; on a GPU it lets copies run beside work.

    uv run sprints/02_datasets_and_dataloaders/pinned_memory.py

Theory: notes/12_throughput.md
"""

import statistics
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from shared.lab.compare import EXACT, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device


@dataclass(frozen=True)
class Config(ScriptConfig):
    items: PositiveInt = 256  # items of the data set
    batch_size: PositiveInt = 64  # items of a batch
    features: PositiveInt = 16_384  # numbers of an item
    rounds: PositiveInt = 20  # turns of each copy on a GPU


@dataclass(frozen=True)
class Results:
    accelerator: bool
    pinned: bool
    warning: str
    same_batches: bool
    copy_speedup: float | None
    overlap_speedup: float | None


def read(data: TensorDataset, batch_size: int, pin: bool) -> tuple[list[Tensor], str]:
    """Return the batches of a loader and what it warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        batches = [batch for (batch,) in DataLoader(data, batch_size=batch_size, pin_memory=pin)]
    return batches, " ".join(str(warning.message) for warning in caught)


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds that work takes on the GPU, by events on it: calls return before the work is done."""
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize()
    start.record()
    work()
    torch.cuda.synchronize()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / 1000


def compare_copies(device: torch.device, batch: Tensor, rounds: int) -> tuple[float, float]:
    """Return how many times faster a pinned batch is copied, and copied while the GPU computes."""
    pinned, matrix = batch.pin_memory(), torch.randn(4096, 4096, device=device)
    side = torch.cuda.Stream(device)

    def copy_and_compute(source: Tensor, non_blocking: bool) -> None:
        with torch.cuda.stream(side):
            source.to(device, non_blocking=non_blocking)
        for _ in range(4):
            matrix @ matrix

    copies, overlaps = [], []
    for _ in range(rounds):
        copies.append(seconds(lambda: batch.to(device)) / seconds(lambda: pinned.to(device)))
        overlaps.append(
            seconds(lambda: copy_and_compute(batch, False)) / seconds(lambda: copy_and_compute(pinned, True))
        )
    return statistics.median(copies), statistics.median(overlaps)


def main(config: Config) -> Results:
    device = pick_device(config.device)
    generator = torch.Generator().manual_seed(config.seed)
    data = TensorDataset(torch.randn(config.items, config.features, generator=generator))
    plain, _ = read(data, config.batch_size, pin=False)
    pinned, warning = read(data, config.batch_size, pin=True)
    copy, overlap = compare_copies(device, plain[0], config.rounds) if device.type == "cuda" else (None, None)
    results = Results(
        accelerator=torch.accelerator.is_available(),
        pinned=all(batch.is_pinned() for batch in pinned),
        warning=warning,
        same_batches=all(map(torch.equal, plain, pinned)),
        copy_speedup=copy,
        overlap_speedup=overlap,
    )
    print(f"batches are pinned: {results.pinned}; they are the same: {results.same_batches}")
    print(f"PyTorch warns: {warning or 'of nothing'}")
    if copy is not None:
        print(f"a pinned batch is copied {copy:.2f} times as fast, beside computation {overlap:.2f} times")
    return results


if __name__ == "__main__":
    # Everything else says what this machine has.
    run(main, Config, tolerance={"*": TIMING, "same_batches": EXACT})
