"""What is the best that anyone can do? Questions without the picture, and captions among many pictures.

    uv run sprints/22_pictures_and_words/best_possible.py
    uv run sprints/22_pictures_and_words/best_possible.py --pairs 100

Every accuracy of this sprint stands beside a number from here. Theory: notes/03_a_laid_table.md
"""

from collections import Counter
from dataclasses import dataclass

import torch

from seeing.captions import pairs
from seeing.questions import QUESTION_KINDS, blind_answers, questions
from seeing.retrieval_optimum import best_recall
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    pairs: AtLeastTwo = 1_000  # pairs of a scene and a caption, from the test stream
    at: tuple[PositiveInt, ...] = (1, 5, 10)  # recall among so many candidates
    questions: AtLeastTwo = 2_000  # of each kind, from the test stream

    def check(self) -> None:
        if max(self.at) > self.pairs:
            raise ValueError(f"recall at {max(self.at)} needs as many pairs; got {self.pairs}")


@dataclass(frozen=True)
class Results:
    # by kind of question: the most probable answer, its exact probability, and how often it was the answer
    questions: dict[str, dict[str, str | float]]
    # by direction and k: what the best ranking finds, and what its posteriors expect
    recall: dict[str, dict[str, dict[str, float]]]
    # by number of items: what the best ranking finds first, caption to scene
    recall_by_number: dict[str, float]


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
    drawn = pairs("test", 0, config.pairs)
    scenes, captions = [scene for scene, _ in drawn], [text for _, text in drawn]
    recall: dict[str, dict[str, dict[str, float]]] = {}
    for k in config.at:
        for way, optimum in best_recall(captions, scenes, k).items():
            recall.setdefault(way, {})[str(k)] = optimum._asdict()
            print(f"{way}, recall@{k} of {config.pairs:,}: {optimum.found:.1%} (expected {optimum.expected:.1%})")
    return Results(of_questions, recall, _by_number(drawn))


def _by_number(drawn: list) -> dict[str, float]:
    """Return recall@1 of the captions of each number of items: a scene of another number cannot be confused with it."""
    found = {}
    for number in sorted({len(scene.items) for scene, _ in drawn}):
        own = [(scene, text) for scene, text in drawn if len(scene.items) == number]
        scenes, captions = [scene for scene, _ in own], [text for _, text in own]
        found[str(number)] = best_recall(captions, scenes)["caption to scene"].found
    return found


if __name__ == "__main__":
    run(main, Config)
