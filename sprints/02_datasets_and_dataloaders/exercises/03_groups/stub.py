"""A shuffled split that does not leak.

Fill in `split_by_group`. Then look how far you are, as often as you like:

    uv run sprints check 02.3
    uv run sprints hint 02.3

Several images are by the same writer. All images of a writer must land on the same side. Theory: note 2 of this sprint.
"""

import torch
from torch import Tensor


def split_by_group(groups: Tensor, test_groups: int, generator: torch.Generator) -> Tensor:
    """Return which items test, boolean (items,): all items of `test_groups` groups that are drawn at random.

    Args:
        groups: int64 (items,), the group of each item, such as the number of its writer. Numbers may have gaps.
        test_groups: how many groups test.
        generator: draws the groups; nothing else is random.
    """
    raise NotImplementedError
