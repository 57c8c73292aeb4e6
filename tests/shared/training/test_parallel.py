"""One training on several processes: rows shared without overlap, sums over all, and nothing of it when alone."""

import itertools
from typing import Any

import pytest
import torch
from torch import distributed

from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import Batch
from shared.training import parallel
from shared.training.losses import evaluate_loss, language_model_loss
from shared.training.parallel import ALONE, RankBatches, Ranks


class Numbers:
    """Batches of six rows that hold their own numbers."""

    def __init__(self) -> None:
        self.position = 0

    def __next__(self) -> Batch:
        self.position += 6
        tokens = torch.arange(self.position - 6, self.position)[:, None].expand(6, 4)
        return Batch(tokens, torch.arange(4) < torch.tensor([[4], [2], [3], [4], [4], [2]]))

    def state_dict(self) -> dict[str, int]:
        return {"position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.position = state["position"]


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_every_row_belongs_to_one_process(size: int):
    shares = [next(RankBatches(Numbers(), Ranks(rank, size))) for rank in range(size)]
    assert sorted(row for tokens, _ in shares for row in tokens[:, 0].tolist()) == [0, 1, 2, 3, 4, 5]
    whole = next(Numbers()).mask
    for rank, (_, mask) in enumerate(shares):
        assert torch.equal(mask, whole[rank::size])


def test_another_number_of_processes_goes_on_where_one_stopped():
    first = RankBatches(Numbers(), Ranks(1, 2))
    next(first)
    second = RankBatches(Numbers(), Ranks(1, 3))
    second.load_state_dict(first.state_dict())
    assert next(second)[0][:, 0].tolist() == [7, 10]


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(ValueError, match=r"it has 6 rows: give a --batch-size that 4 divides"):
        next(RankBatches(Numbers(), Ranks(0, 4)))


def tiny_gpt() -> GPT:
    return GPT(GPTConfig(vocab_size=60, context=4, layers=1, heads=2, d_model=8, dropout=0.0), torch.Generator())


def some_batches() -> list[Batch]:
    """Return batches of 6, 3 and 1 rows: the last one has no row for a second process."""
    first, second = itertools.islice(iter(Numbers().__next__, None), 2)
    return [first, Batch(second.tokens[:3], None), Batch(second.tokens[4:5], second.mask[4:5])]


def test_alone_nothing_changes():
    model = tiny_gpt()
    assert parallel.present() == ALONE
    assert parallel.spread(model, "fsdp", torch.device("cpu")) is model
    assert parallel.loss_of_all(language_model_loss, ALONE) is language_model_loss
    assert parallel.evaluate_of_all(model, some_batches(), ALONE) == evaluate_loss(model, some_batches())
    assert parallel.from_first(lambda: 3) == 3
    before = torch.get_rng_state()
    parallel.seed_step(0, 1, ALONE)
    assert torch.equal(torch.get_rng_state(), before)


def refusal_of_nothing(model: torch.nn.Module, ranks: parallel.Ranks) -> str:
    """Return what an evaluation says of batches without a target."""
    with pytest.raises(ValueError, match="got none") as raised:
        parallel.evaluate_of_all(model, [], ranks)
    return str(raised.value)


def gradients(model: GPT) -> torch.Tensor:
    """Return a copy of all gradients in one row."""
    return torch.cat([weight.grad.flatten() for weight in model.parameters() if weight.grad is not None])


def in_two() -> dict[str, Any]:
    """Return what a process of two finds; called in a group."""
    ranks, model = parallel.present(), tiny_gpt()
    loss_function = parallel.loss_of_all(language_model_loss, ranks)
    wrapped = parallel.spread(model, "ddp", torch.device("cpu"))
    batch = some_batches()[0]
    share = RankBatches(Numbers(), ranks)
    loss, count = loss_function(wrapped, next(share))
    loss.backward()
    shared = gradients(model)
    model.zero_grad()
    alone, targets = language_model_loss(model, batch)
    alone.backward()
    accumulated, averaged = parallel.loss_of_all(language_model_loss, ranks, accumulate=2), []
    for _ in range(4):
        with torch.no_grad():
            accumulated(wrapped, next(share))
        averaged.append(wrapped.require_backward_grad_sync)
    draws = []
    for step in (0, 0, 1):
        parallel.seed_step(3, step, ranks)
        draws.append(torch.rand(()).item())
    return {
        "ranks": tuple(ranks), "loss": (loss.item(), alone.item()), "count": (count, targets), "draws": draws,
        "gradient": (shared - gradients(model)).abs().max().item(),
        "evaluated": (parallel.evaluate_of_all(wrapped, some_batches(), ranks), evaluate_loss(model, some_batches())),
        "from first": parallel.from_first(lambda: f"computed by {distributed.get_rank()}"),
        "training": wrapped.training, "averaged": averaged, "refusal": refusal_of_nothing(wrapped, ranks),
    }  # fmt: skip


def test_two_processes_find_the_sums_of_one(on_processes):
    first, second = on_processes(2, in_two)
    assert (first["ranks"], second["ranks"]) == ((0, 2), (1, 2))
    for found in (first, second):
        assert found["loss"][0] == pytest.approx(found["loss"][1], rel=1e-5)
        assert found["count"][0] == found["count"][1] == 13
        assert found["gradient"] < 1e-5
        (loss, count), (expected, targets) = found["evaluated"]
        assert count == targets == 13 + 9 + 3
        assert loss == pytest.approx(expected, rel=1e-6)
        assert found["from first"] == "computed by 0"
        assert found["training"]
        assert found["refusal"] == "an evaluation needs batches with at least one target; got none"
        assert found["averaged"] == [False, True, False, True]  # once a step, after its last batch
        assert found["draws"][0] == found["draws"][1] != found["draws"][2]
    assert not set(first["draws"]) & set(second["draws"])
