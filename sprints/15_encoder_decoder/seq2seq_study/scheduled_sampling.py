"""Scheduled sampling: the input of the decoder is more and more the model's own."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from seq2seq_study.sequences import SequencePair
from shared.generation.sampling import sample
from shared.nn.seq2seq import EncoderDecoder
from shared.training.losses import count_targets, token_losses

# Share of true tokens in the input, by progress from 0 to 1 (Bengio et al. 2015, section 2.4).
DECAYS: dict[str, Callable[[float], float]] = {
    "linear": lambda progress: 1 - progress,
    "exponential": lambda progress: 0.02**progress,
    "inverse sigmoid": lambda progress: 1 / (1 + math.exp(10 * (progress - 0.5))),
}


class ScheduledSampling:
    """Replace more and more of the true tokens in the input by the model's own (Bengio et al. 2015).

    A loss as `train_steps` takes it. The draw has no gradient.

    Args:
        decay: of `DECAYS`, how the share of true tokens falls.
        steps: calls after which it has fallen.
        generator: draws tokens and coins.
    """

    def __init__(self, decay: str, steps: int, generator: torch.Generator) -> None:
        self.keep, self.steps, self.generator, self.step = DECAYS[decay], steps, generator, 0

    def __call__(self, model: EncoderDecoder, pair: SequencePair) -> tuple[Tensor, int]:
        keep, self.step = self.keep(self.step / self.steps), self.step + 1
        mixed = self.mix(model, pair, keep)
        losses = token_losses(model(pair.source.tokens, mixed, pair.source.mask), *pair.target)
        return losses.sum(), count_targets(*pair.target)

    @torch.no_grad()
    def mix(self, model: EncoderDecoder, pair: SequencePair, keep: float) -> Tensor:
        """Return the inputs of the decoder: from left to right each is the true token or is drawn."""
        true = pair.target.tokens[:, :-1]
        decoder, mixed = model.incremental(*pair.source, true.shape[1]), [true[:, 0]]
        for position in range(1, true.shape[1]):
            drawn = sample(decoder(mixed[-1]), generator=self.generator)
            coins = torch.rand(len(true), generator=self.generator).to(true.device)
            mixed.append(torch.where(coins < keep, true[:, position], drawn))
        return torch.stack(mixed, dim=1)
