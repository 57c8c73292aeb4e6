"""One checkpoint for any number of processes: what is gathered is, bit for bit, what one process has."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.distributed import checkpoint as dcp
from torch.distributed.tensor import DTensor

from shared.nn.gpt import GPT, GPTConfig
from shared.training.checkpoints import load_checkpoint, restore
from shared.training.optimizers import make_optimizers
from shared.training.parallel import Parallel, present, spread
from shared.training.whole_states import save_whole, whole, whole_model

SIZE = GPTConfig(vocab_size=11, context=8, layers=2, heads=2, d_model=6, dropout=0.0)  # 3 does not divide 11 or 8


def new(seed: int) -> GPT:
    return GPT(SIZE, torch.Generator().manual_seed(seed))


def optimizers_of(model: nn.Module) -> list[Any]:
    optimizers = make_optimizers(model, learning_rate=1e-3, muon_learning_rate=0.02)
    for optimizer in optimizers:  # as `train_steps` leaves them
        for group in optimizer.param_groups:
            group["peak"] = group["scheduled"] = group["lr"]
    return optimizers


def trained() -> tuple[GPT, list[Any]]:
    """Return a model after two steps, and its optimizers."""
    model = new(0)
    optimizers = optimizers_of(model)
    for step in range(2):
        model(torch.arange(8)[None] + step).logsumexp(-1).sum().backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    return model, optimizers


def same(one: Any, other: Any) -> bool:
    """Return whether two nested states have the same keys in the same order, and the same bits."""
    if isinstance(one, torch.Tensor):
        return type(one) is type(other) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def own_rows(model: nn.Module) -> int:
    """Return how many rows of its first weight a process has."""
    weight: Any = next(iter(model.parameters()))
    return (weight.to_local() if isinstance(weight, DTensor) else weight).shape[0]


def there_and_back(folder: Path, modes: list[Parallel]) -> dict[str, Any]:
    """Load states of one process into models that are spread, gather them, and save them; called in a group."""
    found: dict[str, Any] = {}
    model, optimizers = trained()
    states = [model.state_dict(), *(optimizer.state_dict() for optimizer in optimizers)]
    for mode in modes:
        module = new(1)
        other = spread(module, mode, torch.device("cpu"))
        theirs = optimizers_of(other)
        parts = whole(other, theirs)
        given = copy.deepcopy(states)
        for part, state in zip([parts[0], *parts[1]], given, strict=True):
            part.load_state_dict(state)
        untouched = same(given, states)
        gathered = [part.state_dict() for part in (parts[0], *parts[1])]
        state = {"step": 2, "config": {}, "data": {}}
        save_whole(folder / f"{mode}.pt", model=other, optimizers=theirs, **state)
        found[mode] = {
            "same": same(states, gathered) if present().rank == 0 else not gathered[0],
            "rows": own_rows(other),
            "untouched": untouched,
        }
        dcp.save({"model": other.state_dict()}, checkpoint_id=folder / f"folder_{mode}")
        alone = whole_model(module, lambda: new(2))
        if present().rank == 0:
            found[mode]["alone"] = same(states[0], alone.state_dict())
            found[mode]["tied"] = gathered[0]["head.weight"] is gathered[0]["token_embedding.weight"]
    return found


def test_states_of_two_and_three_processes_are_those_of_one(on_processes, tmp_path: Path):
    model, optimizers = trained()
    states = [model.state_dict(), [optimizer.state_dict() for optimizer in optimizers]]
    for size, modes, rows in ((2, ["ddp", "fsdp"], [6, 5]), (3, ["fsdp"], [4, 4, 3])):
        found = on_processes(size, there_and_back, tmp_path, modes)
        assert [of_rank["fsdp"]["rows"] for of_rank in found] == rows
        for mode in modes:
            assert all(of_rank[mode]["same"] and of_rank[mode]["untouched"] for of_rank in found)
            assert found[0][mode]["alone"]
            assert found[0][mode]["tied"]
            checkpoint = load_checkpoint(tmp_path / f"{mode}.pt")
            assert same([checkpoint["model"], checkpoint["optimizers"]], states)
            again = new(3)
            assert restore(checkpoint, again, optimizers_of(again)) == 2
            assert same(again.state_dict(), states[0])


@pytest.mark.filterwarnings("ignore:torch.distributed is disabled")
def test_pytorchs_own_folder_of_shards_is_read_by_another_number_of_processes(on_processes, tmp_path: Path):
    """What note 9 of sprint 24 says of it: every process writes its part, and here one reads them all."""
    on_processes(2, there_and_back, tmp_path, ["fsdp"])
    assert len(list((tmp_path / "folder_fsdp").glob("*.distcp"))) == 2
    model = new(3)
    state = {"model": model.state_dict()}
    dcp.load(state, checkpoint_id=tmp_path / "folder_fsdp", no_dist=True)
    assert same(model.state_dict(), trained()[0].state_dict())


def test_alone_a_model_is_what_saves_and_loads(tmp_path: Path):
    model, optimizers = trained()
    assert whole(model, optimizers) == (model, optimizers)
    assert whole_model(model, lambda: new(0)) is model
    save_whole(tmp_path / "alone.pt", model=model, optimizers=optimizers, step=2, config={}, data={})
    assert same(load_checkpoint(tmp_path / "alone.pt")["model"], model.state_dict())
