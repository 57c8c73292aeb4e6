"""Checks of `switched`: the example of the note, one adapter at a time, and peft's mixed batches."""

from typing import Any

import peft
import torch
from torch import Tensor, nn

from shared.lab.checking import expect


def rows_apart(x: Tensor, weight: Tensor, downs: Tensor, ups: Tensor, rows: Tensor, scaling: float) -> Tensor:
    """Return what each row gives by itself."""
    found = []
    for row, number in zip(x, rows.tolist(), strict=True):
        change = row @ downs[number].mT @ ups[number].mT if number >= 0 else torch.zeros(len(row), len(weight))
        found.append(row @ weight.mT + scaling * change)
    return torch.stack(found)


def compare(learner: Any, x: Tensor, weight: Tensor, downs: Tensor, ups: Tensor, rows: Tensor, scaling: float) -> None:
    apart: dict[str, Any] = {"x": x, "weight": weight, "downs": downs, "ups": ups, "rows": rows, "scaling": scaling}
    frozen, expected = x @ weight.mT, rows_apart(**apart)
    order = rows.argsort(stable=True)
    sums = torch.einsum("bti,ari,aor->bto", x, downs, ups)
    mistakes = {
        "Rows without an adapter (-1) get the last one: a negative index counts from the end.": frozen
        + scaling * (x @ downs[rows].mT @ ups[rows].mT),
        "The change is not scaled.": rows_apart(x, weight, downs, ups, rows, 1.0),
        "The whole output is scaled; only the change is.": scaling * rows_apart(x, weight, downs, ups, rows, 1.0),
        "All rows have the adapter of the first one.": rows_apart(
            x, weight, downs, ups, rows[:1].expand(len(rows)).clone(), scaling
        ),
        "Every row gets all adapters: pick one for each.": frozen + scaling * sums,
        "Rows were sorted by their adapters and not put back in order.": expected[order],
        "The frozen path is missing: add W x.": expected - frozen,
        "Rows without an adapter are zero; they must give W x.": expected * (rows >= 0)[:, None, None],
    }
    expect(learner.switched, apart, expected, mistakes)


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).mul(10).round().div(10)


def check_two_users(learner: Any) -> None:
    """The adapters of the note, a row each."""
    downs, ups = torch.tensor([[[1.0, 1]], [[1, -1]]]), torch.tensor([[[1.0], [0]], [[0], [2]]])
    x = torch.tensor([[[2.0, 1]], [[2, 1]]])
    compare(learner, x, torch.eye(2), downs, ups, torch.tensor([0, 1]), 1.0)


def check_a_mixed_batch(learner: Any) -> None:
    """Four rows of three tokens in no order, one of them without an adapter."""
    compare(
        learner, draw(0, 4, 3, 2), draw(1, 5, 2), draw(2, 3, 2, 2), draw(3, 3, 5, 2), torch.tensor([2, 0, -1, 0]), 0.5
    )


def check_as_many_rows_as_tokens(learner: Any) -> None:
    """Adapters belong to rows of the batch, not to tokens: here there are three of each."""
    x, rows = draw(4, 3, 3, 4), torch.tensor([1, 0, 2])
    downs, ups, weight = draw(5, 3, 2, 4), draw(6, 3, 4, 2), draw(7, 4, 4)
    by_token = rows_apart(x.transpose(0, 1), weight, downs, ups, rows, 2.0).transpose(0, 1)
    given: dict[str, Any] = {"x": x, "weight": weight, "downs": downs, "ups": ups, "rows": rows, "scaling": 2.0}
    mistakes = {"The adapter is chosen by the place of a token; it must be chosen by the row of the batch.": by_token}
    expect(learner.switched, given, rows_apart(**given), mistakes)


def check_it_is_a_mixed_batch_of_peft(learner: Any) -> None:
    """peft computes the same from the same numbers."""

    def config() -> peft.LoraConfig:
        return peft.LoraConfig(r=2, lora_alpha=3, target_modules=["0"])

    model: Any = peft.get_peft_model(nn.Sequential(nn.Linear(4, 3, bias=False)), config(), adapter_name="0")
    model.add_adapter("1", config())
    layer = model.base_model.model[0]
    downs, ups, weight, x = draw(8, 2, 2, 4), draw(9, 2, 3, 2), draw(10, 3, 4), draw(11, 3, 2, 4)
    layer.base_layer.weight.data.copy_(weight)
    for number in range(2):
        layer.lora_A[str(number)].weight.data.copy_(downs[number])
        layer.lora_B[str(number)].weight.data.copy_(ups[number])
    model.eval()
    expected = model(x, adapter_names=["1", "__base__", "0"]).detach()
    given = {"x": x, "weight": weight, "downs": downs, "ups": ups, "rows": torch.tensor([1, -1, 0]), "scaling": 1.5}
    expect(learner.switched, given, expected)
