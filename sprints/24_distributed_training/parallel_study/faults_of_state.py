"""More faults that make no error: rows, norms, random states and files; called in a group of two (see faults.py)."""

from pathlib import Path

import torch
from torch import distributed
from torch.utils.data import DistributedSampler, TensorDataset

from parallel_study import checks
from parallel_study.faults import (
    Fault,
    away,
    beside,
    error_sum,
    gradient_of_one_process,
    new_model,
    new_rows,
    said,
    share,
)
from parallel_study.sharing import gather
from shared.training.parallel import present
from shared.training.sealed import load_sealed, save_sealed

ROWS = 7  # of a validation set, which two processes cannot share in equal parts


def numbered(rows: int) -> TensorDataset:
    return TensorDataset(torch.arange(rows))


def forgotten_epoch(epochs: int = 3) -> Fault:
    """A sampler shuffles eight rows: how many different orders do three epochs have?"""
    found = {}
    for name in ("wrong", "right"):
        sampler = DistributedSampler(numbered(8), shuffle=True, seed=0)
        orders = []
        for epoch in range(epochs):
            if name == "right":
                sampler.set_epoch(epoch)
            orders.append(list(sampler))
        found[name] = len({tuple(order) for order in orders}), said(checks.assert_new_order, *orders[:2])
    return beside(f"different orders in {epochs} epochs", found)


def padded_validation() -> Fault:
    """Seven rows for two processes: the sampler hands out eight. What is the loss?"""
    features, targets = new_rows(ROWS)
    model = new_model()
    loss, count = error_sum(model, (features, targets))
    one = (loss / count).item()
    found = {}
    shares = {"wrong": list(DistributedSampler(numbered(ROWS), shuffle=False)), "right": list(range(ROWS))[share()]}
    for name, rows in shares.items():
        loss, count = error_sum(model, (features[rows], targets[rows]))
        totals = torch.stack([loss.detach(), torch.tensor(float(count), dtype=torch.double)])
        distributed.all_reduce(totals)
        mean = (totals[0] / totals[1]).item()
        found[name] = abs(mean - one) / one, said(checks.assert_each_row_once, rows, ROWS)
    return beside("validation loss, away from one process's", found)


def norm_of_a_shard() -> Fault:
    """Each process has half of the gradient and clips it to half of its norm: by which norm?"""
    whole = gradient_of_one_process(new_rows())
    limit = whole.norm() / 2
    own = whole.chunk(present().size)[present().rank]
    squares = own.square().sum()
    distributed.all_reduce(squares)
    found = {}
    for name, norm in (("wrong", own.norm()), ("right", squares.sqrt())):
        clipped = gather(own * (limit / norm).clamp(max=1))
        # not bit for bit: who computes the norm of a vector in two parts adds its squares in another order
        message = said(checks.assert_same_on_all_ranks, {"the norm": round(norm.item(), 9)})
        found[name] = away(clipped, whole * (limit / whole.norm())), message
    return beside("clipped gradient, away from one process's", found)


def equal_random_states(cells: int = 1000, dropout: float = 0.5) -> Fault:
    """Both processes draw a dropout mask: in how many cells do they agree?"""
    found = {}
    for name, seed in (("wrong", 0), ("right", present().rank)):
        generator = torch.Generator().manual_seed(seed)
        kept = (torch.rand(cells, generator=generator) >= dropout).double()
        first, second = gather(kept).chunk(2)
        agree = (first == second).double().mean().item()
        found[name] = agree, said(checks.assert_different_on_all_ranks, kept, "a dropout mask")
    return beside("share of a dropout mask in which both agree", found)


def two_writers(folder: str, numbers: int = 100_000) -> Fault:
    """The fast process has saved; the slow one opens the same file again and is stopped half-way. What is left?"""
    state = {"weights": torch.arange(numbers, dtype=torch.float32)}
    found = {}
    for name in ("wrong", "right"):
        path, rank = Path(folder) / f"{name}.pt", present().rank
        if rank == 0:
            save_sealed(state, path)
        distributed.barrier()
        if name == "wrong" and rank == 1:
            content = path.read_bytes()
            with open(path, "wb") as file:  # empties the file that was whole
                file.write(content[: len(content) // 2])  # and here the job is stopped
        distributed.barrier()
        try:
            left = 1.0 if torch.equal(load_sealed(path)["weights"], state["weights"]) else 0.0
        except ValueError:
            left = 0.0
        found[name] = left, said(checks.assert_one_writer, name == "wrong" or rank == 0)
    return beside("files that can be read afterwards", found)
