"""Checkpoints that survive a crash at any moment, and runs that resume as if nothing had happened."""

import random
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim import Optimizer

from shared.training.sealed import load_sealed, save_sealed

# Beside each weight AdamW keeps two numbers, and while a checkpoint is written, the one before it is still there.
WEIGHTS_IN_CHECKPOINTS = 3 * 2


class CheckpointError(ValueError):
    """A checkpoint cannot be written, read or used."""


def save_checkpoint(
    path: Path,
    *,
    model: nn.Module,
    optimizers: Sequence[Optimizer],
    step: int,
    config: Mapping[str, Any],
    data: Mapping[str, Any],
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write all that a run needs to go on: model, optimizers, step, configuration, data position, random states.

    The file is written under a temporary name, forced to the disk and renamed, so that at any moment `path` holds
    either the old checkpoint or the new one, whole.

    Args:
        path: the file.
        model, optimizers: their states are saved; an optimizer's holds its learning rates.
        step: steps done.
        config: what must be equal for a run to resume (plain values).
        data: position of the data stream.
        extra: anything else, plain values or tensors.

    Raises:
        CheckpointError: a weight is not finite, or the file cannot be written, for example because the disk is full;
            the old one is intact.
    """
    checkpoint = {
        "model": model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in optimizers],
        "step": step,
        "config": dict(config),
        "data": dict(data),
        "random": random_states(),
        "extra": dict(extra or {}),
    }
    state = "the checkpoint before it is intact" if path.exists() else "there is no checkpoint yet"
    if not all(map(_is_finite, (checkpoint["model"], checkpoint["optimizers"]))):
        raise CheckpointError(
            f"after step {step} a weight, or what an optimizer keeps of it, is infinite or not a number: it is not "
            f"saved, and {state}. A lower learning rate or float32 may help"
        )
    try:
        save_sealed(checkpoint, path)
    except (OSError, RuntimeError) as error:
        raise CheckpointError(
            f"cannot write the checkpoint {path} ({error}); {state}. Free some space or choose another --out"
        ) from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Return a checkpoint; only tensors and plain values are read, so a foreign file cannot run code.

    Raises:
        CheckpointError: there is no such file, or it is not, bit for bit, what `save_checkpoint` wrote.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no checkpoint {path}; start without --resume or give the --out of the run")
    try:
        checkpoint = load_sealed(path)
    except ValueError as error:
        raise CheckpointError(f"{error}: name the checkpoint of a training run, or start again") from None
    if not isinstance(checkpoint, dict) or "optimizers" not in checkpoint:
        raise CheckpointError(f"{path} is not a checkpoint of a training run; give the --out of one")
    return checkpoint


def check_room(path: Path, model: nn.Module, copies: int = WEIGHTS_IN_CHECKPOINTS) -> None:
    """Check before training that there is room for what it will write: so many copies of the weights.

    Raises:
        CheckpointError: says how much is free and how much is needed.
    """
    weights = {id(tensor): tensor.nbytes for tensor in model.state_dict(keep_vars=True).values()}
    needed = copies * sum(weights.values())
    there = next(folder for folder in path.absolute().parents if folder.is_dir())
    if (free := shutil.disk_usage(there).free) < needed:
        raise CheckpointError(
            f"what is saved to {path} needs {needed / 1e6:,.0f} MB and {free / 1e6:,.0f} MB are free: free some space "
            "or choose another --out"
        )


def check_replaceable(path: Path, config: Mapping[str, Any], steps: int) -> None:
    """Check that a run from the beginning, of so many steps, loses nothing: it may replace what it will make again.

    Raises:
        CheckpointError: what is there is of other options, of a run that has not ended, or of more steps.
    """
    if not path.exists():
        return
    checkpoint = load_checkpoint(path)
    done, different = checkpoint["step"], _differences(checkpoint, config)
    if different or done != steps:
        others = f" with other options ({'; '.join(different)})" if different else ""
        resume = "" if different else "give --resume to go on, "
        raise CheckpointError(
            f"{path} holds {done} steps of a run{others}, and this run of {steps} steps would overwrite it: {resume}"
            "choose another --out, or delete the file"
        )


def check_compatible(checkpoint: Mapping[str, Any], config: Mapping[str, Any], path: Path) -> None:
    """Check that a run with this configuration may go on from the checkpoint.

    Raises:
        CheckpointError: names each field that differs, with both values.
    """
    if different := _differences(checkpoint, config):
        raise CheckpointError(
            f"{path} belongs to another configuration: {'; '.join(different)}. "
            "Give the options of that run, or another --out to start a new one"
        )


def restore(checkpoint: Mapping[str, Any], model: nn.Module, optimizers: Sequence[Optimizer]) -> int:
    """Put model, optimizers and random states back and return the number of steps done."""
    model.load_state_dict(checkpoint["model"])
    for optimizer, state in zip(optimizers, checkpoint["optimizers"], strict=True):
        optimizer.load_state_dict(state)
    set_random_states(checkpoint["random"])
    return checkpoint["step"]


def random_states() -> dict[str, Any]:
    """Return the states of Python's, NumPy's and PyTorch's global generators as plain values and tensors."""
    version, words, gauss = random.getstate()
    numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002 (libraries draw from it)
    return {
        "python": {"version": version, "words": list(words), "gauss": gauss},
        "numpy": {
            "key": torch.from_numpy(numpy_state["state"]["key"].astype(np.int64)),
            "pos": int(numpy_state["state"]["pos"]),
            "has_gauss": int(numpy_state["has_gauss"]),
            "gauss": float(numpy_state["gauss"]),
        },
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def set_random_states(states: Mapping[str, Any]) -> None:
    """Put the states that `random_states` returned back."""
    python, numpy_state = states["python"], states["numpy"]
    random.setstate((python["version"], tuple(python["words"]), python["gauss"]))
    np.random.set_state(  # noqa: NPY002
        (
            "MT19937",
            numpy_state["key"].numpy().astype(np.uint32),
            numpy_state["pos"],
            numpy_state["has_gauss"],
            numpy_state["gauss"],
        )
    )
    torch.set_rng_state(states["torch"])
    if states["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])


def _differences(checkpoint: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """Return each option that a checkpoint has otherwise, with both values."""
    saved = checkpoint["config"]
    return [
        f"{name} is {config.get(name)!r}, in the checkpoint {saved.get(name)!r}"
        for name in sorted(saved.keys() | config.keys())
        if saved.get(name) != config.get(name)
    ]


def _is_finite(state: Any) -> bool:
    """Return whether all tensors in a nested state are finite."""
    if isinstance(state, torch.Tensor):
        return bool(state.isfinite().all())
    parts = state.values() if isinstance(state, Mapping) else state if isinstance(state, list | tuple) else ()
    return all(map(_is_finite, parts))
