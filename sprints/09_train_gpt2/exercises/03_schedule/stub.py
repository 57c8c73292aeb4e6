"""The learning rate by step.

Fill in `factor`. Then look how far you are, as often as you like:

    uv run sprints check 09.3
    uv run sprints hint 09.3

Theory: note 4 of this sprint, the part on the schedule.
"""


def factor(step: int, steps: int, warmup: int, floor: float) -> float:
    """Return what the peak learning rate is multiplied by in a step, counted from 0.

    In the first `warmup` steps it rises in equal parts, 1 / warmup in step 0 and 1 in step warmup - 1. From step
    `warmup` on it follows half a period of a cosine, from 1 at step `warmup` to `floor` at step `steps`, which would be
    the first one after the end. With a warmup of 0 it begins with the cosine.

    Args:
        step: 0 to steps - 1.
        steps: steps in all, more than `warmup`.
        warmup: steps of the rise.
        floor: the factor that the cosine ends at, 0 to 1.
    """
    raise NotImplementedError
