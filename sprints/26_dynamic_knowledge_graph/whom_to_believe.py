"""Sources contradict each other: the last one, the majority, or weights? Beside the best that anyone can do.

    uv run sprints/26_dynamic_knowledge_graph/whom_to_believe.py
    uv run sprints/26_dynamic_knowledge_graph/whom_to_believe.py --answers 5 --reliabilities 0.9 0.4 0.4 0.4

Each question has one true answer. Sources err independently, and evenly over the wrong answers. For the last rule their
reliabilities are not known, but measured on a hundred other questions. Theory: notes/09_two_kinds_of_time.md
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure

from knowledge.hearsay import said
from knowledge.sqlite_store import SqliteStore
from shared.checks.intervals import MeanInterval, mean_interval
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, OpenFraction, PositiveInt, Seeds
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    answers: tuple[AtLeastTwo, ...] = (2, 3, 5, 10)  # possible answers of a question
    reliabilities: tuple[OpenFraction, ...] = (0.9, 0.7, 0.6, 0.6, 0.55)  # of the sources
    questions: PositiveInt = 4000  # for each seed
    through_the_store: PositiveInt = 200  # of them also asked of a store, for each seed
    known: PositiveInt = 100  # further questions with known answers, to measure reliabilities
    seeds: Seeds = (0, 1, 2, 3, 4)

    def check(self) -> None:
        if max(self.answers) ** len(self.reliabilities) > 200_000:
            raise ValueError("the optimum is summed over all that can be said: give fewer --answers or --reliabilities")


@dataclass(frozen=True)
class Results:
    accuracy: dict[
        str, dict[str, MeanInterval]
    ]  # by the number of possible answers and the rule: mean, half of the interval
    optimum: dict[str, float]  # by the number of possible answers: exact
    asked: int  # questions that a store was asked
    undecided: int  # of them, those to which the store believes no answer: the largest sum has an equal
    as_the_store: int  # of them, those to which the store's answer is that of the weights


def weights_of(reliabilities: Float[np.ndarray, " sources"], options: int) -> Float[np.ndarray, " sources"]:
    """Return log(p (n - 1) / (1 - p)) for n options."""
    return np.log(reliabilities * (options - 1) / (1 - reliabilities))


def draw(
    questions: int, options: int, reliabilities: Float[np.ndarray, " sources"], random: np.random.Generator
) -> tuple[Int[np.ndarray, " questions"], Int[np.ndarray, "questions sources"]]:
    """Return the true answers, and what each source says."""
    truth = random.integers(options, size=questions)
    wrong = (truth[:, None] + random.integers(1, options, size=(questions, len(reliabilities)))) % options
    return truth, np.where(random.random(wrong.shape) < reliabilities, truth[:, None], wrong)


def decide(
    votes: Int[np.ndarray, "questions sources"], weights: Float[np.ndarray, "... sources"], options: int
) -> Int[np.ndarray, " questions"]:
    """Return the answer with the largest sum of weights, of all questions or of each; of equal ones the smaller."""
    scores = ((votes[:, :, None] == np.arange(options)) * weights[..., None]).sum(axis=1)  # (questions, options)
    return scores.round(9).argmax(axis=1)


def optimum(options: int, reliabilities: Float[np.ndarray, " sources"]) -> float:
    """Return the accuracy of the best rule: for all that can be said, the probability of the likeliest answer."""
    everything = np.indices((options,) * len(reliabilities)).reshape(len(reliabilities), -1).T  # (votes, sources)
    errs = (1 - reliabilities) / (options - 1)
    likeliest = np.zeros(len(everything))
    for answer in range(options):
        likeliest = np.maximum(likeliest, np.where(everything == answer, reliabilities, errs).prod(axis=1))
    return float(likeliest.sum() / options)


def ask_a_store(votes: Int[np.ndarray, "questions sources"], reliabilities: Sequence[float], options: int) -> list[str]:
    """Return what a store believes about each question, "" where it believes nothing."""
    sources = {f"s{number}": reliability for number, reliability in enumerate(reliabilities)}
    with SqliteStore(sources=sources, single={"is": options}) as store:
        for number, row in enumerate(votes.tolist()):
            store.add(
                [said(f"{number} {one}", f"q{number}", "is", f"a{vote}", 1, f"s{one}") for one, vote in enumerate(row)]
            )
        found = {fact.subject: fact.object.removeprefix("shop:a") for fact in store.facts()}
    return [found.get(f"person:q{number}", "") for number in range(len(votes))]


def main(config: Config) -> Results:
    reliabilities, accuracy, asked, same, undecided = np.array(config.reliabilities), {}, 0, 0, 0
    for options in config.answers:
        shares: dict[str, list[float]] = {}
        for seed in config.seeds:
            random = np.random.default_rng((seed, options))
            truth, votes = draw(config.questions, options, reliabilities, random)
            known, said_of_known = draw(config.known, options, reliabilities, random)
            right = (said_of_known == known[:, None]).sum(axis=0)
            measured = (right + 1) / (config.known + 2)
            last = votes[np.arange(len(votes)), random.integers(len(reliabilities), size=len(votes))]
            found = {
                "last": last,
                "majority": decide(votes, 1 + 1e-3 * random.random(votes.shape), options),  # ties by chance
                "log-odds": decide(votes, weights_of(reliabilities, 2), options),
                "weights": decide(votes, weights_of(reliabilities, options), options),
                "measured weights": decide(votes, weights_of(measured, options), options),
            }
            for name, answers in found.items():
                shares.setdefault(name, []).append(float((answers == truth).mean()))
            few = votes[: config.through_the_store]
            answers = [str(answer) for answer in found["weights"][: len(few)]]
            asked += len(few)
            of_store = ask_a_store(few, config.reliabilities, options)
            undecided += of_store.count("")
            same += sum(a == b for a, b in zip(of_store, answers, strict=True))
        accuracy[str(options)] = {name: mean_interval(values) for name, values in shares.items()}
        print(options, {name: f"{mean:.1%}" for name, (mean, _) in accuracy[str(options)].items()})
    best = {str(options): optimum(options, reliabilities) for options in config.answers}
    print(f"optimum {best}; {same} of {asked} as the store, which leaves {undecided} open")
    return Results(accuracy, best, asked, undecided, same)


def plot(results: Results) -> Figure:
    """Draw how far each rule is below the optimum; the last one, which is far below, is left to the table."""
    figure, axes = new_figure(7, 3.6)
    names = list(next(iter(results.accuracy.values())))[1:]
    places = np.arange(len(results.accuracy))
    for number, name in enumerate(names):
        of_one = [rules[name] for rules in results.accuracy.values()]
        below = [100 * (best - mean) for best, (mean, _) in zip(results.optimum.values(), of_one, strict=True)]
        halves = [100 * (half or 0) for _, half in of_one]
        axes.bar(places + 0.2 * (number - 1.5), below, 0.2, yerr=halves, color=COLOURS[number], label=name)
    axes.set_xticks(places, [f"{options} answers" for options in results.accuracy])
    axes.set(ylabel="accuracy below the optimum (points)")
    axes.axhline(0, color="black", linewidth=0.8)
    axes.legend(ncols=2)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})
