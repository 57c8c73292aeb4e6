"""What the tests of encoders share: padded rows, and a comparison with transformers in outputs and every gradient."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

VOCAB, PAD, TOKENS = 40, 1, 9
TINY = {
    "vocab_size": VOCAB, "hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 40,
    "max_position_embeddings": 14, "pad_token_id": PAD,
}  # fmt: skip


def rows(side: str) -> tuple[Tensor, Tensor, Tensor]:
    """Return three rows of 9, 6 and 1 real tokens that are padded on a side, the mask, and segments."""
    generator = torch.Generator().manual_seed(1)
    places, lengths = torch.arange(TOKENS), torch.tensor([TOKENS, 6, 1])[:, None]
    real = places < lengths if side == "right" else places >= TOKENS - lengths
    tokens = torch.randint(2, VOCAB, (3, TOKENS), generator=generator).where(real, PAD)
    return tokens, real, (places >= 4).long().expand(3, -1)


def perturb(model: nn.Module) -> None:
    """Move every parameter, so that no zero or one hides a part that is left out."""
    generator = torch.Generator().manual_seed(2)
    for parameter in model.parameters():
        parameter.data.add_(0.3 * torch.randn(parameter.shape, generator=generator))


def compare(
    ours: nn.Module,
    theirs: nn.Module,
    our_output: Tensor,
    their_output: Tensor,
    as_ours: Callable[[Mapping[str, Tensor]], dict[str, Tensor]],
) -> None:
    """Assert equal outputs, and equal gradients of a random mixture of them, to 1e-5.

    Args:
        ours, theirs: the two models.
        our_output, their_output: at real tokens.
        as_ours: brings tensors by their names under ours.
    """
    torch.testing.assert_close(our_output, their_output, atol=1e-5, rtol=1e-5)
    mixture = torch.randn(our_output.shape, generator=torch.Generator().manual_seed(3)) / our_output.numel() ** 0.5
    (our_output * mixture).sum().backward()
    (their_output * mixture).sum().backward()
    gradients = as_ours({name: weight.grad for name, weight in theirs.named_parameters() if weight.grad is not None})
    for name, weight in ours.named_parameters():
        torch.testing.assert_close(
            weight.grad, gradients[name], atol=1e-5, rtol=1e-5, msg=lambda m, n=name: f"{n}: {m}"
        )
