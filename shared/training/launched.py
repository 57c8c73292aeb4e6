"""A script that `torchrun` starts in several processes: one of them speaks, and what goes wrong is said once.

    uv run torchrun --standalone --nproc-per-node 2 SCRIPT

Every process runs the whole script. They form a group, the first one writes results as `shared/lab/run.py` does, and
the others follow (`shared/lab/following.py`). Without `torchrun` all of this is `shared/lab/run.py` itself.
"""

import functools
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import distributed
from torch.distributed import PrefixStore, Store

from shared.lab.config import ScriptConfig
from shared.lab.following import follow
from shared.lab.run import run as run_alone
from shared.training.parallel import present

C = TypeVar("C", bound=ScriptConfig)
# How errors begin or end that say of another process that it is gone; gloo's are plain RuntimeErrors.
GONE = ("gloo", "Connection closed by peer", "Connection reset by peer", "Broken pipe", "NCCL")


class ProcessGone(ValueError):
    """Another process of this run has ended without a word."""

    def __init__(self) -> None:
        super().__init__(
            "another process of this run has ended without a word (killed, or out of memory?), and the others cannot "
            "go on without it. With --max-restarts torchrun starts all again, and they go on from the last checkpoint"
        )


def run(main: Callable[[C], Any], config: type[C], **options: Any) -> Any:
    """Run a script as `shared/lab/run.py::run` does, in all processes that `torchrun` started.

    Args:
        main: computes the results; it may look at `present()`.
        config: the script's options.
        options: what else `run` takes.
    """
    if not is_launched():
        return run_alone(main, config, **options)
    with joined() as store:
        write = run_alone if present().rank == 0 else follow
        return write(_said_once(main, store), config, **options)


def is_launched() -> bool:
    """Return whether `torchrun` started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def was_restarted() -> bool:
    """Return whether `torchrun` started any of these processes in place of one that had ended; all ask it together.

    Each machine counts its own failures, so that the others learn of them here.
    """
    counts: list[Any] = [_starts_before()] * present().size
    if is_launched() and present().size > 1:
        distributed.all_gather_object(counts, counts[0])
    return any(counts)


def _starts_before() -> int:
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))


@contextmanager
def joined() -> Generator[Store]:
    """Join the processes that `torchrun` started with this one, and leave them at the end.

    Tensors on the CPU travel by gloo, those on GPUs by NCCL. What is yielded is the store of this start: a dictionary
    of all processes, which outlives each of them.
    """
    store, rank, size = next(iter(distributed.rendezvous("env://")))
    # torchrun keeps one store for all starts, and a new process may find there the address of a dead one (PyTorch issue
    # 135712). On one machine all know the number of the start. On several set TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1.
    if os.environ["LOCAL_WORLD_SIZE"] == os.environ["WORLD_SIZE"]:
        store = PrefixStore(f"start {_starts_before()}", store)
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
    distributed.init_process_group(store=store, rank=rank, world_size=size)
    try:
        yield store
    finally:
        distributed.destroy_process_group()


def _said_once(main: Callable[[C], Any], store: Store) -> Callable[[C], Any]:
    """Return the same function, after whose error only the first process to fail has something to say.

    The end of one process ends the others: their connections break, or they find the same fault in the same options.
    """

    @functools.wraps(main)
    def call(config: C) -> Any:
        try:
            if config.record is not None:
                raise ValueError("--record writes what one process found: leave it out, or start without torchrun")
            return main(config)
        except Exception as error:
            if store.add("said", 1) > 1:
                raise SystemExit(2) from None
            if is_of_another(error):
                raise ProcessGone from error
            raise

    return call


def is_of_another(error: Exception) -> bool:
    """Return whether an error says that another process is gone."""
    if isinstance(error, distributed.DistError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error) for word in GONE)
