"""A prefix in one attention layer.

Fill in `attend_behind_prefix`. Then look how far you are, as often as you like:

    uv run sprints check 21.5
    uv run sprints hint 21.5

The example of three words in the checks is that of note 5. Theory: notes/05_prompts_and_prefixes.md
"""

from torch import Tensor


def attend_behind_prefix(query: Tensor, key: Tensor, value: Tensor, prefix_key: Tensor, prefix_value: Tensor) -> Tensor:
    """Return causal self-attention of a text that may look at a prefix as well.

    Every word looks at the whole prefix, at itself and at the words before it. The prefix asks nothing.

    Args:
        query: of the words, (batch, heads, tokens, head_dim)
        key: of the words, (batch, heads, tokens, head_dim)
        value: of the words, (batch, heads, tokens, features)
        prefix_key: the same for every text, (heads, prefix, head_dim)
        prefix_value: (heads, prefix, features)

    Returns:
        (batch, heads, tokens, features)
    """
    raise NotImplementedError
