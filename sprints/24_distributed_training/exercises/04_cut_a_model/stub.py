"""A model cut in two ways: heads for each process, and an order of work for each process of a pipeline.

Fill in the three functions. Then look how far you are, as often as you like:

    uv run sprints check 24.4
    uv run sprints hint 24.4

Theory: notes 6 and 7 of this sprint.
"""

from torch import Tensor


def own_rows(d_model: int, size: int, rank: int) -> Tensor:
    """Return which rows of the packed projection a process needs, in their order there.

    The matrix has d_model rows for queries, then d_model for keys, then d_model for values; in each of these three the
    heads stand one behind the other. Process r of N has the r-th of N equal parts of the heads.

    Args:
        d_model: features of all heads together; `size` divides the number of heads
        size: processes
        rank: which process this is

    Returns:
        (3 * d_model / size,) whole numbers
    """
    raise NotImplementedError


def partial_output(
    x: Tensor, qkv: Tensor, output: Tensor, output_bias: Tensor, heads: int, size: int, rank: int
) -> Tensor:
    """Return what a process adds to the output of self-attention: the sum over all processes is the whole output.

    Use `torch.nn.functional.scaled_dot_product_attention`, which takes (batch, heads, tokens, head_dim). Nothing is
    masked. Use only the process's rows of `qkv` and its columns of `output`.

    Args:
        x: (batch, tokens, d_model), the same in every process
        qkv: (3 * d_model, d_model), the packed projection, without a bias
        output: (d_model, d_model), multiplied with the heads side by side: mixed @ output.T
        output_bias: (d_model,), of the output layer
        heads: of the whole layer
        size: processes, which divides `heads`
        rank: which process this is

    Returns:
        (batch, tokens, d_model)
    """
    raise NotImplementedError


def one_forward_one_backward(rank: int, size: int, micros: int) -> list[str]:
    """Return the order of work of a process in 1F1B: "F0" is the forward pass of micro-batch 0, "B0" its backward pass.

    Process `rank` first does so many forward passes as there are processes behind it (or all, if there are fewer). Then
    it does one forward and one backward pass in turns, as long as there are forward passes, and then the backward
    passes that are left.

    Args:
        rank: which process this is, from 0 on
        size: processes
        micros: micro-batches
    """
    raise NotImplementedError
