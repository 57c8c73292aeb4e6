"""Likelihood, and a free run that is like the one under teacher forcing: by a judge, or by a divergence.

Each is a loss as `train_steps` takes it. Targets are drawn from the model, and the draw has no gradient.
"""

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor, nn
from torch.nn import functional

from seq2seq_study.exact_match import draw_targets
from seq2seq_study.likelihood import logits_of
from seq2seq_study.sequences import SequencePair, mask_of
from shared.nn.seq2seq import EncoderDecoder
from shared.text.batches import Batch
from shared.training.losses import count_targets, token_losses


class HiddenStateJudge(nn.Module):
    """Tells a teacher's run from a free one by the decoder's hidden states: a bidirectional GRU and a layer."""

    def __init__(self, d_model: int, d_hidden: int = 32) -> None:
        super().__init__()
        self.read = nn.GRU(d_model, d_hidden, bidirectional=True, batch_first=True)
        self.decide = nn.Sequential(nn.Linear(2 * d_hidden, d_hidden), nn.ReLU(), nn.Linear(d_hidden, 1))

    def forward(self, hidden: Tensor, real: Tensor) -> Tensor:
        """Return a score (rows), positive for "teacher", of hidden states (rows, tokens, d_model)."""
        there = real[..., None]
        states = self.read(hidden.where(there, 0.0))[0].where(there, 0.0)
        return self.decide(states.sum(dim=1) / real.sum(dim=1, keepdim=True))[:, 0]


class ProfessorForcing:
    """Likelihood, and hidden states that a judge cannot tell from those under teacher forcing (Lamb et al. 2016).

    As in the paper, the judge learns while it is right in less than 99 % of cases, and the model learns from it while
    it is right in more than 75 % (`hear_above`). `accuracies` says how right it was at each step of the model.
    """

    def __init__(
        self,
        d_model: int,
        generator: torch.Generator,
        weight: float = 1.0,
        learning_rate: float = 3e-3,
        hear_above: float = 0.75,
    ) -> None:
        self.judge, self.generator, self.weight = HiddenStateJudge(d_model), generator, weight
        self.hear_above = hear_above
        self.accuracies: list[float] = []
        self.optimizer = torch.optim.Adam(self.judge.parameters(), lr=learning_rate)

    def teach(self, model: EncoderDecoder, batches: Iterator[SequencePair], steps: int) -> None:
        """Let the judge learn to tell the runs of a model that stays as it is."""
        for pair in islice(batches, steps):
            with torch.no_grad():
                states = self._both_runs(model, pair)
            self._teach_judge(*states)
        self.accuracies.clear()

    def __call__(self, model: EncoderDecoder, pair: SequencePair) -> tuple[Tensor, int]:
        taught, real, free, free_real = self._both_runs(model, pair)
        accuracy = self._teach_judge(taught, real, free, free_real)
        losses = token_losses(model.decoder.head(taught), *pair.target)
        loss, terms = losses.sum(), count_targets(*pair.target)
        if accuracy > self.hear_above:
            fooled = functional.softplus(-self.judge(free, free_real))  # -log p("teacher")
            loss = loss + self.weight * terms * fooled.mean()
        return loss, terms

    def _both_runs(self, model: EncoderDecoder, pair: SequencePair) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return hidden states and which are real, on the true prefixes and on the model's own."""
        self.judge.to(pair.source.tokens.device)
        memory = model.encoder(*pair.source)
        drawn = draw_targets(model, pair, self.generator)
        taught = _hidden_states(model, memory, pair.source.mask, pair.target)
        return *taught, *_hidden_states(model, memory, pair.source.mask, drawn)

    def _teach_judge(self, taught: Tensor, real: Tensor, free: Tensor, free_real: Tensor) -> float:
        """Let the judge learn from a batch if it has to; return its accuracy before."""
        scores, against = self.judge(taught.detach(), real), self.judge(free.detach(), free_real)
        accuracy = ((scores > 0).float().mean() + (against <= 0).float().mean()).item() / 2
        self.accuracies.append(accuracy)
        if accuracy < 0.99:
            self.optimizer.zero_grad()
            (functional.softplus(-scores).mean() + functional.softplus(against).mean()).backward()
            self.optimizer.step()
        return accuracy


def _hidden_states(
    model: EncoderDecoder, memory: Tensor, source_mask: Tensor | None, target: Batch
) -> tuple[Tensor, Tensor]:
    """Return hidden states after each input token, and which answers are real."""
    hidden = model.decoder.hidden(target.tokens[:, :-1], memory, source_mask)
    return hidden, mask_of(target)[:, 1:]


class OutputDivergence:
    """Likelihood, and predictions in a free run that are like those under the teacher: KL(teacher's || free)."""

    def __init__(self, generator: torch.Generator, weight: float = 1.0) -> None:
        self.generator, self.weight = generator, weight

    def __call__(self, model: EncoderDecoder, pair: SequencePair) -> tuple[Tensor, int]:
        drawn = draw_targets(model, pair, self.generator)
        width = drawn.tokens.shape[1] - 1
        taught, free = logits_of(model, pair), logits_of(model, SequencePair(pair.source, drawn))
        losses = token_losses(taught, *pair.target)
        # Clamped, for the tokens that an output layer forbids: 0 x (log 0 - log 0) would be no number.
        wanted, log_probs = (each.log_softmax(dim=-1).clamp(min=-100) for each in (taught[:, :width].detach(), free))
        terms = (wanted.exp() * (wanted - log_probs)).sum(dim=-1)
        real = mask_of(drawn)[:, 1:] & mask_of(pair.target)[:, 1 : width + 1]
        return losses.sum() + self.weight * terms.where(real, 0.0).sum(), count_targets(*pair.target)
