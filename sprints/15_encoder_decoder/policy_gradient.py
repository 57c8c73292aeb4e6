"""Do the gradient estimators estimate the gradient? On a task so small that the true gradient is a sum.

    uv run sprints/15_encoder_decoder/policy_gradient.py

A model says three of three symbols: 27 targets, each with a probability and a reward.
Theory: notes/07_policy_gradients.md
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from seq2seq_study.expected_reward import MinimumRisk, Reinforce, minimum_risk, reward
from seq2seq_study.likelihood import log_probability
from seq2seq_study.noisy_reversal import NoisyReversal, check_sources
from seq2seq_study.sequences import SequencePair
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.seq2seq import EncoderDecoder


@dataclass(frozen=True)
class Config(ScriptConfig):
    symbols: AtLeastTwo = 3  # distinct symbols
    tokens: AtLeastTwo = 3  # symbols of a target
    batch_size: AtLeastTwo = 16  # targets drawn for one estimate
    estimates: AtLeastTwo = 400  # estimates of each kind
    samples: tuple[PositiveInt, ...] = (2, 8)  # targets in a subset of minimum risk; the true one joins them

    def check(self) -> None:
        check_sources(self.symbols, self.tokens)


@dataclass(frozen=True)
class EstimatorQuality:
    """How estimates lie around the exact gradient g.

    Args:
        bias: length of (their mean - g), divided by that of g.
        noise: what this would be for an estimator without bias, from the spread of the estimates.
        spread: root of the mean squared distance of one estimate from their mean, divided by the length of g.
        cosine: of their mean with g.
    """

    bias: float
    noise: float
    spread: float
    cosine: float


@dataclass(frozen=True)
class Results:
    estimators: dict[str, EstimatorQuality]
    targets: int
    expected_reward: float
    sum_of_probabilities: float
    score_function_difference: float
    minimum_risk_difference: float


def flat_gradient(model: nn.Module, value: Tensor) -> Tensor:
    """Return the gradient of a value by all parameters as one vector."""
    gradients = torch.autograd.grad(value, list(model.parameters()), retain_graph=True, allow_unused=True)
    return torch.cat(
        [
            (torch.zeros_like(parameter) if gradient is None else gradient).flatten()
            for parameter, gradient in zip(model.parameters(), gradients, strict=True)
        ]
    )


def judge(estimates: Tensor, exact: Tensor) -> EstimatorQuality:
    """Return how estimates (estimates, parameters) lie around the exact gradient (parameters)."""
    mean, length = estimates.mean(dim=0), exact.norm()
    variance = estimates.var(dim=0).sum()
    return EstimatorQuality(
        bias=((mean - exact).norm() / length).item(),
        noise=((variance / len(estimates)).sqrt() / length).item(),
        spread=(variance.sqrt() / length).item(),
        cosine=torch.cosine_similarity(mean, exact, dim=0).item(),
    )


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    task = NoisyReversal(config.symbols, config.tokens)
    model = task.model(generator, d_model=16)
    with torch.no_grad():
        model.decoder.head.weight.mul_(15)  # a model with opinions, as after some training
    model.double().eval()  # so that what is equal is seen to be
    source = torch.arange(config.tokens)[None] % config.symbols
    true = task.pair(source, source.flip(-1))
    targets = task.enumerate(config.tokens)
    every = task.pair(source.expand(len(targets), -1), targets)
    rewards = reward(every.target, task.pair(source, source.flip(-1)).target).double()

    log_q = log_probability(model, every)  # (targets)
    expected = (log_q.exp() * rewards).sum()
    exact = flat_gradient(model, expected)
    # The score function: the gradient of an expectation is the expectation of reward x gradient of log q.
    score = flat_gradient(model, (log_q.exp().detach() * rewards * log_q).sum())
    risk = flat_gradient(model, -minimum_risk(log_q[None], rewards[None], 1.0).sum())

    many = SequencePair(*(batch._replace(tokens=batch.tokens.expand(config.batch_size, -1)) for batch in true))
    losses: dict[str, Callable[[EncoderDecoder, SequencePair], tuple[Tensor, int]]] = {
        "REINFORCE, no baseline": Reinforce("none", generator),
        "REINFORCE, mean of the others": Reinforce("mean", generator),
        "REINFORCE, greedy answer": Reinforce("greedy", generator),
        **{
            f"minimum risk, {samples} and the true one": MinimumRisk(samples, 1.0, generator)
            for samples in config.samples
        },
    }
    estimators = {}
    for name, loss_of in losses.items():
        pair = true if name.startswith("minimum") else many
        estimates = []
        for _ in range(config.estimates):
            loss, count = loss_of(model, pair)
            estimates.append(-flat_gradient(model, loss / count))
        estimators[name] = quality = judge(torch.stack(estimates), exact)
        print(f"{name:<34} off by {quality.bias:.3f}, noise alone gives {quality.noise:.3f}; ", end="")
        print(f"spread {quality.spread:.2f}, cosine {quality.cosine:.4f}")
    results = Results(
        estimators=estimators,
        targets=len(targets),
        expected_reward=expected.item(),
        sum_of_probabilities=log_q.exp().sum().item(),
        score_function_difference=((score - exact).norm() / exact.norm()).item(),
        minimum_risk_difference=((risk - exact).norm() / exact.norm()).item(),
    )
    print(
        f"over all {results.targets} targets: score function off by {results.score_function_difference:.1e}, ", end=""
    )
    print(f"minimum risk by {results.minimum_risk_difference:.1e}; expected reward {results.expected_reward:.3f}")
    return results


def plot(results: Results) -> Figure:
    """Draw how far the mean of the estimates is off, beside what noise alone would do, and the spread of one."""
    figure, axes = new_figure(10.0, 3.6, columns=2)
    bars, qualities = range(len(results.estimators)), results.estimators.values()
    axes[0].barh([bar - 0.2 for bar in bars], [quality.bias for quality in qualities], 0.38, label="off by")
    axes[0].barh([bar + 0.2 for bar in bars], [quality.noise for quality in qualities], 0.38, label="noise")
    axes[0].set_yticks(bars, [*results.estimators])
    axes[0].set(xlabel="of the length of the gradient", title="mean of the estimates")
    axes[0].legend()
    axes[1].barh(bars, [quality.spread for quality in qualities], color="C2")
    axes[1].set_yticks(bars, [""] * len(bars))
    axes[1].set(xlabel="of the length of the gradient", title="spread of one estimate")
    for axis in axes:
        axis.invert_yaxis()
    return figure


if __name__ == "__main__":
    # A draw turns with the last digit of a logit, and differences of equal vectors are rounding alone.
    near = {"estimators.*": Tolerance(relative=0.05, absolute=0.02), "*_difference": Tolerance(absolute=1e-5)}
    run(main, Config, plot=plot, tolerance=near)
