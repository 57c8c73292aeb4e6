"""A schedule: a warm-up, and then half a cosine.

Fill in `factor`. Then look how far you are, as often as you like:

    uv run sprints check 04.4
    uv run sprints hint 04.4

Theory: note 5 of this sprint.
"""


def factor(step: int, steps: int, warmup: int, floor: float) -> float:
    """Return what the peak rate is multiplied by in a step.

    In the first `warmup` steps it rises in equal parts: the first has 1 / warmup, the last one 1. From there half a
    cosine leads down: step `warmup` still has 1, and step `steps` would have `floor`.

    Args:
        step: steps that are done, so that the first step has 0.
        steps: steps of the run.
        warmup: steps of the warm-up; 0 for none.
        floor: where the cosine ends.
    """
    raise NotImplementedError
