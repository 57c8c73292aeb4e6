"""A reward that cannot be fooled.

Fill in `reward`. Then look how far you are, as often as you like:

    uv run sprints check 16.5
    uv run sprints hint 16.5

Whatever your function pays for, a policy will find. Theory: note 8 of this sprint.
"""


def reward(answer: str, text: str) -> float:
    """Return 1.0 if a text gives the right answer, otherwise 0.0.

    The text must hold exactly one pair of tags, <answer> and </answer>. Between them must stand the right number, with
    the right unit or without one, and nothing else; spaces do not matter, but a number is one word.

    Args:
        answer: the right answer, a number and its unit: "30 g". For a time of day there is no unit: "17:45".
        text: what the policy wrote.
    """
    raise NotImplementedError
