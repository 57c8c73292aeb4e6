"""Checks of `own_rows`, `partial_output` and `one_forward_one_backward`: small cuts, sums over processes, the note."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect


def check_rows_of_two_processes(learner: Any) -> None:
    """Four features: queries are rows 0 to 3, keys 4 to 7, values 8 to 11."""
    expected = {0: [0, 1, 4, 5, 8, 9], 1: [2, 3, 6, 7, 10, 11]}
    for rank, rows in expected.items():
        given = {"d_model": 4, "size": 2, "rank": rank}
        expect(learner.own_rows, given, torch.tensor(rows), {
            "This cuts the packed matrix from above: the process gets all queries and half of the keys, or the rest.":
                torch.arange(6) + 6 * rank,
            "These rows are spread like cards: features of one head must stay together.":
                torch.arange(rank, 12, 2),
            "These are the queries alone: keys and values of the same heads are needed, too.": torch.tensor(rows[:2]),
        })  # fmt: skip


def check_rows_of_three_processes(learner: Any) -> None:
    """Six features, the last process."""
    given = {"d_model": 6, "size": 3, "rank": 2}
    expect(learner.own_rows, given, torch.tensor([4, 5, 10, 11, 16, 17]))


def attention(x: Tensor, qkv: Tensor, heads: int) -> Tensor:
    """Return the mixed values of all heads, side by side."""
    query, key, value = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (x @ qkv.mT).chunk(3, dim=-1))
    return functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)


def compare(learner: Any, d_model: int, heads: int, size: int) -> None:
    """Compare the sum over all processes with the whole layer."""
    generator = torch.Generator().manual_seed(d_model + size)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator)

    x, qkv, output, bias = draw(2, 3, d_model), draw(3 * d_model, d_model), draw(d_model, d_model), draw(d_model)
    mixed = attention(x, qkv, heads)

    def summed(x: Tensor, qkv: Tensor, output: Tensor, output_bias: Tensor) -> Tensor:
        parts = [learner.partial_output(x, qkv, output, output_bias, heads, size, rank) for rank in range(size)]
        return torch.stack(parts).sum(dim=0)

    one_head = attention(x, qkv, size)
    given: dict[str, Any] = {"x": x, "qkv": qkv, "output": output, "output_bias": bias}
    expect(summed, given, mixed @ output.mT + bias, {
        "The bias was added by every process: the sum has it once.": mixed @ output.mT + size * bias,
        "The bias is missing: one process has to add it.": mixed @ output.mT,
        "The heads of a process were made one wide head: it has heads / size of them.": one_head @ output.mT + bias,
        "The output matrix was cut by its rows: a process needs the columns that belong to its heads.":
            mixed @ output + bias,
    })  # fmt: skip


def check_the_sum_of_two_processes(learner: Any) -> None:
    """A head each."""
    compare(learner, 4, 2, 2)


def check_two_heads_for_each_process(learner: Any) -> None:
    """Three processes share six heads."""
    compare(learner, 12, 6, 3)


def check_one_process(learner: Any) -> None:
    """It is the whole layer."""
    compare(learner, 4, 2, 1)


def check_that_no_process_does_all(learner: Any) -> None:
    """A process uses its own rows and columns only: what the others have may be anything."""
    generator = torch.Generator().manual_seed(0)
    x, qkv, output = (torch.randn(shape, generator=generator) for shape in ((1, 3, 4), (12, 4), (4, 4)))
    poisoned = qkv.clone()
    poisoned[[0, 1, 4, 5, 8, 9]] = torch.nan

    def second(x: Tensor, qkv: Tensor, output: Tensor, output_bias: Tensor) -> Tensor:
        return learner.partial_output(x, qkv, output, output_bias, 2, 2, 1)

    expected = attention(x, qkv, 2)[..., 2:] @ output[:, 2:].mT
    given: dict[str, Any] = {"x": x, "qkv (NaN in the rows of process 0)": poisoned, "output": output}
    given["output_bias"] = torch.zeros(4)
    expect(second, given, expected)


def reference(rank: int, size: int, micros: int) -> list[str]:
    ahead = min(size - 1 - rank, micros)
    order, forward, backward = [f"F{micro}" for micro in range(ahead)], ahead, 0
    while backward < micros:
        if forward < micros:
            order.append(f"F{forward}")
            forward += 1
        order.append(f"B{backward}")
        backward += 1
    return order


def compare_order(learner: Any, rank: int, size: int, micros: int) -> None:
    given = {"rank": rank, "size": size, "micros": micros}
    all_first = [f"{kind}{micro}" for kind in "FB" for micro in range(micros)]
    expect(learner.one_forward_one_backward, given, reference(rank, size, micros), {
        "These are all forward passes, then all backward passes: that is GPipe.": all_first,
        "Each process waits like the first one here: process `rank` has size - rank - 1 behind it.":
            reference(0, size, micros),
        "This is the other end of the pipeline: the last process begins its backward passes at once.":
            reference(size - 1 - rank, size, micros),
    })  # fmt: skip


def check_the_last_process(learner: Any) -> None:
    """It does each micro-batch backward at once."""
    compare_order(learner, 1, 2, 3)


def check_the_pipeline_of_the_note(learner: Any) -> None:
    """Four processes, eight micro-batches."""
    for rank in range(4):
        compare_order(learner, rank, 4, 8)


def check_fewer_micro_batches_than_processes(learner: Any) -> None:
    """Nothing is done twice, and nothing that is not there."""
    compare_order(learner, 0, 4, 2)
