"""The whole of GPT-2.

Copy your `embed` (08.1), `layer_norm`, `attention`, `gelu`, `feed_forward` and `block` (08.3) into this file, and fill
in `gpt`, which puts them together. Then look how far you are, as often as you like:

    uv run sprints check 08.4
    uv run sprints hint 08.4

When all checks are green, your program is GPT-2: it gives the logits that transformers gives, on small random models
and on the trained one that ships with this course.

The weights come under the names of transformers:

    transformer.wte.weight                          (vocab_size, d_model)   a vector for each token
    transformer.wpe.weight                          (context, d_model)      a vector for each place
    transformer.h.0.ln_1.weight, ...                                        block 0, as in 08.3; then h.1, h.2, ...
    transformer.ln_f.weight, transformer.ln_f.bias  (d_model,)              the norm at the end
    lm_head.weight                                  (vocab_size, d_model)   the head: in GPT-2 the same matrix as wte
"""

from torch import Tensor


def gpt(tokens: Tensor, weights: dict[str, Tensor], heads: int) -> Tensor:
    """Return the logits of the token after each token.

    Args:
        tokens: (batch, tokens), token ids.
        weights: the model's, by name. How many blocks there are, the names say.
        heads: attention heads of each block.

    Returns:
        (batch, tokens, vocab_size)
    """
    raise NotImplementedError
