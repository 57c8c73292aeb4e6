"""Log-softmax, the entry of the token that came, and a mean over the tokens that count."""

from torch import Tensor


def cross_entropy(logits: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of -log p(target) over the targets that count, in nats; p is the softmax of the logits."""
    log_probs = logits - logits.logsumexp(dim=-1, keepdim=True)  # (batch, tokens, vocab)
    losses = -log_probs.gather(-1, targets[..., None])[..., 0]  # (batch, tokens)
    return losses[mask].mean()


def perplexity(losses: Tensor) -> Tensor:
    """Return the perplexity of a text, given the loss of each of its tokens in nats, (tokens,)."""
    return losses.mean().exp()
