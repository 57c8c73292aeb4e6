"""Losses of a whole sequence: what is tried against exposure bias, each as `train_steps` takes it.

Each is a callable that maps a model and a batch of pairs to a sum of losses and the number of terms in it. Where
targets are drawn from the model, the draw itself has no gradient.
"""

import math
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.functional import pad

from seq2seq_study.sequence_tasks import Pair, logits_of
from shared.generation.sampling import sample
from shared.generation.beam_search import decode
from shared.nn.seq2seq import EncoderDecoder
from shared.text.batches import Batch
from shared.training.losses import count_targets, token_losses

# Share of true tokens in the input, by progress from 0 to 1 (Bengio et al. 2015, section 2.4).
DECAYS: dict[str, Callable[[float], float]] = {
    "linear": lambda progress: 1 - progress,
    "exponential": lambda progress: 0.02**progress,
    "inverse sigmoid": lambda progress: 1 / (1 + math.exp(10 * (progress - 0.5))),
}


def log_probability(model: nn.Module, pair: Pair) -> Tensor:
    """Return log q(target | source) of each row."""
    return -token_losses(logits_of(model, pair), *pair.target).sum(dim=1)


def draw(model: EncoderDecoder, pair: Pair, generator: torch.Generator, temperature: float | int = 1) -> Batch:
    """Return a target of the model's own for each source, cut where the true ones are."""
    most = pair.target.tokens.shape[1] - 1
    return Batch(*decode(model, *pair.source, max_new_tokens=most, temperature=temperature, generator=generator))


def reward(said: Batch, target: Batch) -> Tensor:
    """Return the share of places that are right in each row; a place that only one of the two has is wrong."""
    width = max(said.tokens.shape[1], target.tokens.shape[1])

    def places(batch: Batch) -> tuple[Tensor, Tensor]:
        mask = torch.ones_like(batch.tokens, dtype=torch.bool) if batch.mask is None else batch.mask
        missing = (0, width - batch.tokens.shape[1])
        return pad(batch.tokens, missing)[:, 1:], pad(mask, missing)[:, 1:]  # without the begin token

    (tokens, real), (true_tokens, true_real) = places(said), places(target)
    right = (tokens == true_tokens) & real & true_real
    return right.sum(dim=1) / (real | true_real).sum(dim=1)


class ScheduledSampling:
    """Replace more and more of the true tokens in the input by the model's own (Bengio et al. 2015).

    Args:
        decay: of `DECAYS`, how the share of true tokens falls.
        steps: calls after which it has fallen.
        generator: draws tokens and coins.
    """

    def __init__(self, decay: str, steps: int, generator: torch.Generator) -> None:
        self.keep, self.steps, self.generator, self.step = DECAYS[decay], steps, generator, 0

    def __call__(self, model: EncoderDecoder, pair: Pair) -> tuple[Tensor, int]:
        keep, self.step = self.keep(self.step / self.steps), self.step + 1
        mixed = self.mix(model, pair, keep)
        losses = token_losses(model(pair.source.tokens, mixed, pair.source.mask), *pair.target)
        return losses.sum(), count_targets(*pair.target)

    @torch.no_grad()
    def mix(self, model: EncoderDecoder, pair: Pair, keep: float) -> Tensor:
        """Return the inputs of the decoder: from left to right each is the true token or is drawn."""
        true = pair.target.tokens[:, :-1]
        steps, mixed = model.incremental(*pair.source, true.shape[1]), [true[:, 0]]
        for place in range(1, true.shape[1]):
            drawn = sample(steps(mixed[-1]), generator=self.generator)
            coins = torch.rand(len(true), generator=self.generator).to(true.device)
            mixed.append(torch.where(coins < keep, true[:, place], drawn))
        return torch.stack(mixed, dim=1)


class Judge(nn.Module):
    """Tells a teacher's run from a free one by the decoder's hidden states: a bidirectional GRU and a layer."""

    def __init__(self, d_model: int, d_hidden: int = 32) -> None:
        super().__init__()
        self.read = nn.GRU(d_model, d_hidden, bidirectional=True, batch_first=True)
        self.decide = nn.Sequential(nn.Linear(2 * d_hidden, d_hidden), nn.ReLU(), nn.Linear(d_hidden, 1))

    def forward(self, hidden: Tensor, real: Tensor) -> Tensor:
        """Return a score (rows), positive for "teacher", of hidden states (rows, tokens, d_model)."""
        states = self.read(hidden * real[..., None])[0] * real[..., None]
        return self.decide(states.sum(dim=1) / real.sum(dim=1, keepdim=True))[:, 0]


class ProfessorForcing:
    """Likelihood, and hidden states that a judge cannot tell from those under teacher forcing (Lamb et al. 2016).

    As in the paper, the judge learns while it is right in less than 99 % of cases, and the model learns from it while
    it is right in more than 75 %. `accuracies` says how right it was at each step of the model.
    """

    def __init__(self, d_model: int, generator: torch.Generator, weight: float = 1.0, learning_rate: float = 3e-3):
        self.judge, self.generator, self.weight = Judge(d_model), generator, weight
        self.accuracies: list[float] = []
        self.optimizer = torch.optim.Adam(self.judge.parameters(), lr=learning_rate)

    def teach(self, model: EncoderDecoder, batches: Iterator[Pair], steps: int) -> None:
        """Let the judge learn to tell the runs of a model that stays as it is."""
        for pair in islice(batches, steps):
            with torch.no_grad():
                runs = self._runs(model, pair)
            self._teach_judge(*runs)
        self.accuracies.clear()

    def __call__(self, model: EncoderDecoder, pair: Pair) -> tuple[Tensor, int]:
        taught, real, free, free_real = self._runs(model, pair)
        accuracy = self._teach_judge(taught, real, free, free_real)
        losses = token_losses(model.decoder.head(taught), *pair.target)
        loss, terms = losses.sum(), count_targets(*pair.target)
        if accuracy > 0.75:
            fooled = functional.softplus(-self.judge(free, free_real))  # -log p("teacher")
            loss = loss + self.weight * terms * fooled.mean()
        return loss, terms

    def _runs(self, model: EncoderDecoder, pair: Pair) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return hidden states and which are real, on the true prefixes and on the model's own."""
        self.judge.to(pair.source.tokens.device)
        memory = model.encoder(*pair.source)
        said = draw(model, pair, self.generator)
        return *_hidden(model, memory, pair.source.mask, pair.target), *_hidden(model, memory, pair.source.mask, said)

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


def _hidden(model: EncoderDecoder, memory: Tensor, source_mask: Tensor | None, target: Batch) -> tuple[Tensor, Tensor]:
    """Return hidden states after each input token, and which answers are real."""
    hidden = model.decoder.hidden(target.tokens[:, :-1], memory, source_mask)
    mask = torch.ones_like(target.tokens, dtype=torch.bool) if target.mask is None else target.mask
    return hidden, mask[:, 1:]


class OutputDivergence:
    """Likelihood, and predictions in a free run that are like those under the teacher: KL(teacher's || free)."""

    def __init__(self, generator: torch.Generator, weight: float = 1.0) -> None:
        self.generator, self.weight = generator, weight

    def __call__(self, model: EncoderDecoder, pair: Pair) -> tuple[Tensor, int]:
        said = draw(model, pair, self.generator)
        places = said.tokens.shape[1] - 1
        taught, free = logits_of(model, pair), logits_of(model, Pair(pair.source, said))
        losses = token_losses(taught, *pair.target)
        # Clamped, for the tokens that an output layer forbids: 0 x (log 0 - log 0) would be no number.
        wanted, log_probs = (each.log_softmax(dim=-1).clamp(min=-100) for each in (taught[:, :places].detach(), free))
        terms = (wanted.exp() * (wanted - log_probs)).sum(dim=-1)
        real = said.mask[:, 1:] if said.mask is not None else torch.ones_like(terms)
        if pair.target.mask is not None:
            real = real & pair.target.mask[:, 1 : places + 1]
        return losses.sum() + self.weight * (terms * real).sum(), count_targets(*pair.target)


class Reinforce:
    """Raise the log-probability of what was drawn by how much better it was than a baseline (Williams 1992).

    Args:
        baseline: "none"; "mean", the mean reward of the other rows of the batch; or "greedy", the reward of the greedy
            answer to the same source (self-critical: Rennie et al. 2017).
        generator: draws the targets.
    """

    def __init__(self, baseline: Literal["none", "mean", "greedy"], generator: torch.Generator) -> None:
        self.baseline, self.generator = baseline, generator

    def __call__(self, model: EncoderDecoder, pair: Pair) -> tuple[Tensor, int]:
        said = draw(model, pair, self.generator)
        rewards = reward(said, pair.target)
        return -(self.advantages(model, pair, rewards) * log_probability(model, Pair(pair.source, said))).sum(), len(
            rewards
        )

    def advantages(self, model: EncoderDecoder, pair: Pair, rewards: Tensor) -> Tensor:
        """Return the rewards less the baseline, which never depends on the row's own draw."""
        if self.baseline == "mean":
            return rewards - (rewards.sum() - rewards) / (len(rewards) - 1)
        if self.baseline == "greedy":
            return rewards - reward(draw(model, pair, self.generator, temperature=0), pair.target)
        return rewards


class MinimumRisk:
    """Expected risk under the model's distribution on a few targets, renormalised (Shen et al. 2016, section 3.2).

    Args:
        samples: targets drawn for each source; the true one joins them, and equal ones count once.
        sharpness: exponent of the model's probabilities.
        generator: draws the targets.
    """

    def __init__(self, samples: int, sharpness: float, generator: torch.Generator) -> None:
        self.samples, self.sharpness, self.generator = samples, sharpness, generator

    def __call__(self, model: EncoderDecoder, pair: Pair) -> tuple[Tensor, int]:
        many, count = repeat(pair, self.samples), len(pair.source.tokens)
        said = draw(model, many, self.generator)
        said = join(said, pair.target, self.samples)
        every = Pair(repeat(pair, self.samples + 1).source, said)
        rewards = reward(said, repeat(pair, self.samples + 1).target).unflatten(0, (count, -1))
        tokens = said.tokens.unflatten(0, (count, -1))
        equal = (tokens[:, :, None] == tokens[:, None]).all(dim=-1)
        again = equal.tril(-1).any(dim=-1)
        log_probs = log_probability(model, every).unflatten(0, (count, -1))
        return minimum_risk(log_probs.masked_fill(again, -math.inf), rewards, self.sharpness).sum(), count


def minimum_risk(log_probs: Tensor, rewards: Tensor, sharpness: float) -> Tensor:
    """Return the expected risk (rows) of targets with these log-probabilities and rewards, both (rows, targets)."""
    return ((1 - rewards) * (sharpness * log_probs).softmax(dim=1)).sum(dim=1)


def repeat(pair: Pair, times: int) -> Pair:
    """Return a pair with each row so many times, one after another."""
    return pair.change(lambda part: part.repeat_interleave(times, 0))


def join(said: Batch, target: Batch, samples: int) -> Batch:
    """Return targets with `samples` rows of `said` and then the true row for each row of `target`."""
    missing = (0, target.tokens.shape[1] - said.tokens.shape[1])
    mask = torch.ones_like(target.tokens, dtype=torch.bool) if target.mask is None else target.mask
    parts = []
    for drawn, true in ((said.tokens, target.tokens), (said.mask, mask)):
        assert drawn is not None
        wide = pad(drawn, missing).unflatten(0, (len(true), samples))
        parts.append(torch.cat([wide, true[:, None]], dim=1).flatten(0, 1))
    return Batch(*parts)
