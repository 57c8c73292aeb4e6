"""From token ids to vectors.

Fill in `embed`, the first stage of GPT-2. Then look how far you are, as often as you like:

    uv run sprints check 08.1
    uv run sprints hint 08.1

Theory: note 1 of this sprint, and sprint 5. The next exercises go on from here, to the whole model in 08.4.
"""

from torch import Tensor


def embed(tokens: Tensor, token_vectors: Tensor, position_vectors: Tensor) -> Tensor:
    """Return the vector of each token plus the vector of the place at which it stands.

    Args:
        tokens: (batch, tokens), token ids. Places are counted from 0 in each row.
        token_vectors: (vocab_size, d_model), a row for each entry of the vocabulary.
        position_vectors: (context, d_model), a row for each place. There are at least as many places as tokens.

    Returns:
        (batch, tokens, d_model)
    """
    raise NotImplementedError
