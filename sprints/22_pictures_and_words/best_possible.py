"""What is the best that anyone can do? Questions without the picture, and captions among many pictures.

    uv run sprints/22_pictures_and_words/best_possible.py
    uv run sprints/22_pictures_and_words/best_possible.py --preset hundred

Every accuracy of this sprint stands beside a number from here. Theory: notes/03_a_laid_table.md
"""

from collections import Counter
from dataclasses import dataclass
from statistics import fmean

import torch

from seeing.captions import pairs
from seeing.questions import QUESTION_KINDS, blind_answers, questions
from seeing.retrieval_optimum import best_recall, log_probabilities, recall_at
from shared.checks.intervals import MeanInterval, mean_interval
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run

LIKELIHOOD = "scene to caption by P(caption | scene) alone"
PRESETS = {"hundred": {"pairs": 100, "sets": 20, "at": (1,)}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    pairs: AtLeastTwo = 1_000  # pairs of a scene and a caption that are told apart, from the test stream
    sets: PositiveInt = 5  # so many times, each with pairs of its own
    at: tuple[PositiveInt, ...] = (1, 5, 10)  # recall among so many candidates
    questions: AtLeastTwo = 2_000  # of each kind, from the test stream

    def check(self) -> None:
        if max(self.at) > self.pairs:
            raise ValueError(f"recall at {max(self.at)} needs as many pairs; got {self.pairs}")


@dataclass(frozen=True)
class Results:
    # by kind of question: the most probable answer, its exact probability, and how often it was the answer
    questions: dict[str, dict[str, str | float]]
    # by way of ranking and k: the mean recall of all sets and half of its 95 % interval, if there are three of them
    recall: dict[str, dict[str, MeanInterval]]
    # of scene to caption at the first k: what the best ranking finds more than P(caption | scene) alone, set by set
    gained: MeanInterval
    # by direction and k: what the posteriors expect
    expected: dict[str, dict[str, float]]
    # by number of items: what the best ranking finds first, caption to scene
    recall_by_number: dict[str, MeanInterval]


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    of_questions: dict[str, dict[str, str | float]] = {}
    for kind in QUESTION_KINDS:
        shares = blind_answers(kind)
        answer = max(shares, key=lambda word: shares[word])
        asked = Counter(question.answer for _, question in questions("test", kind, 0, config.questions))
        of_questions[kind] = {
            "answer": answer,
            "optimum": shares[answer],
            "measured": asked[answer] / config.questions,
        }
        print(f"{kind}: without the picture {shares[answer]:.1%} at best, by always answering {answer!r}")
    found: dict[str, dict[str, list[float]]] = {}
    expected: dict[str, dict[str, list[float]]] = {}
    by_number: dict[str, list[float]] = {}
    for start in range(0, config.sets * config.pairs, config.pairs):
        drawn = pairs("test", start, config.pairs)
        scenes, captions = [scene for scene, _ in drawn], [text for _, text in drawn]
        for number, share in _by_number(drawn).items():
            by_number.setdefault(number, []).append(share)
        likelihood = log_probabilities(captions, scenes).mT
        for k in config.at:
            for way, optimum in best_recall(captions, scenes, k).items():
                found.setdefault(way, {}).setdefault(str(k), []).append(optimum.found)
                expected.setdefault(way, {}).setdefault(str(k), []).append(optimum.expected)
            found.setdefault(LIKELIHOOD, {}).setdefault(str(k), []).append(recall_at(likelihood, k))
    recall = {way: {k: mean_interval(shares) for k, shares in row.items()} for way, row in found.items()}
    for way, row in recall.items():
        print(f"{way}: " + ", ".join(f"recall@{k} {mean:.1%}" for k, (mean, _) in row.items()))
    of_posteriors = {way: {k: fmean(shares) for k, shares in row.items()} for way, row in expected.items()}
    best, alone = (found[way][str(config.at[0])] for way in ("scene to caption", LIKELIHOOD))
    gained = mean_interval([share - other for share, other in zip(best, alone, strict=True)])
    return Results(
        of_questions, recall, gained, of_posteriors, {n: mean_interval(shares) for n, shares in by_number.items()}
    )


def _by_number(drawn: list) -> dict[str, float]:
    """Return recall@1 of the captions of each number of items: a scene of another number cannot be confused with it."""
    found = {}
    for number in sorted({len(scene.items) for scene, _ in drawn}):
        own = [(scene, text) for scene, text in drawn if len(scene.items) == number]
        scenes, captions = [scene for scene, _ in own], [text for _, text in own]
        found[str(number)] = best_recall(captions, scenes)["caption to scene"].found
    return found


if __name__ == "__main__":
    run(main, Config, presets=PRESETS)
