"""What `DistributedDataParallel` does, in small: buckets of gradients that are averaged while others are computed."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, distributed, nn

from parallel_study.one_gradient import broadcast_weights


def fill_buckets(sizes: Sequence[int], most: int) -> list[list[int]]:
    """Return which parameters share a bucket, the last ones first, since their gradients are there first.

    Args:
        sizes: bytes of each parameter, in the order in which the model defines them.
        most: bytes of a bucket; a parameter that is larger has one for itself.
    """
    buckets: list[list[int]] = []
    held = 0
    for number in reversed(range(len(sizes))):
        if not buckets or held + sizes[number] > most:
            buckets.append([])
            held = 0
        buckets[-1].append(number)
        held += sizes[number]
    return buckets


class OwnDDP(nn.Module):
    """A model whose gradients are averaged over all processes by the end of `backward` (Li et al. 2020, section 3.2).

    Args:
        module: the model; process 0's weights become everyone's.
        most: bytes of a bucket. 0: every parameter has one for itself.
    """

    def __init__(self, module: nn.Module, most: int = 25 * 2**20) -> None:
        super().__init__()
        self.module = module
        self.averaging = True
        named = [(name, parameter) for name, parameter in module.named_parameters() if parameter.requires_grad]
        order = fill_buckets([parameter.nbytes for _, parameter in named], most)
        self.buckets = [[named[place] for place in bucket] for bucket in order]
        broadcast_weights(module)
        for number, bucket in enumerate(self.buckets):
            for name, parameter in bucket:
                parameter.register_post_accumulate_grad_hook(self._hook(number, name))
        self._begin()

    def forward(self, *inputs: Any) -> Any:
        """Return what the model returns."""
        return self.module(*inputs)

    @contextmanager
    def no_sync(self) -> Generator[None]:
        """Let the gradients of several batches add up; the first backward pass outside averages them, once."""
        self.averaging = False
        try:
            yield
        finally:
            self.averaging = True

    def _begin(self) -> None:
        self.missing = [{name for name, _ in bucket} for bucket in self.buckets]
        self.under_way: list[tuple[distributed.Work, Tensor]] = []
        self.asked = False

    def _hook(self, number: int, name: str) -> Callable[[Tensor], None]:
        def gradient_is_there(_: Tensor) -> None:
            if not self.averaging:
                return
            if not self.asked:  # the first gradient of this pass asks that `_finish` be called at its end
                torch.autograd.Variable._execution_engine.queue_callback(self._finish)
                self.asked = True
            self.missing[number].discard(name)
            # In the same order in every process, or bucket 1 of one would be added to bucket 2 of another.
            while len(self.under_way) < len(self.buckets) and not self.missing[len(self.under_way)]:
                self._start(len(self.under_way))

        return gradient_is_there

    def _start(self, number: int) -> None:
        """Begin the average of a bucket over all processes, and do not wait for it."""
        gradients = [parameter.grad for _, parameter in self.buckets[number] if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients]) / distributed.get_world_size()
        self.under_way.append((distributed.all_reduce(flat, async_op=True), flat))

    def _finish(self) -> None:
        """Wait for all buckets, and put the averages where the gradients are."""
        left = [name for names in self.missing for name in sorted(names)]
        if left:
            raise RuntimeError(f"no gradient for {left[0]} and {len(left) - 1} more: does the loss use every layer?")
        for bucket, (work, flat) in zip(self.buckets, self.under_way, strict=True):
            work.wait()
            parts = flat.split([parameter.numel() for _, parameter in bucket])
            for (_, parameter), mean in zip(bucket, parts, strict=True):
                parameter.grad = mean.view_as(parameter)
        self._begin()
