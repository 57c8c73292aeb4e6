"""A reader without a graph who remembers the answers to other questions about the same larder."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from downstream.larder_questions import ASKED, KINDS, Question


class Memory:
    """What follows from answers: where two things share a shelf, they share its room and its keeper.

    Args:
        answers: by question, the node that was the answer; names stay what they are within a larder.
    """

    def __init__(self, answers: Mapping[Question, int]) -> None:
        self.known: dict[int, dict[int, int]] = defaultdict(dict)  # by thing: what is so many hops away
        self.above: dict[int, dict[int, int]] = defaultdict(dict)  # by shelf or room: what is above it, by hops
        for question, answer in answers.items():
            self.known[question.thing][question.hops] = answer
        while self._conclude():
            pass

    def _conclude(self) -> bool:
        """Draw conclusions once, and return whether there was a new one."""
        before = self._size()
        for known in self.known.values():
            for low, node in list(known.items()):
                self.above[node] |= {hops: up for hops, up in known.items() if hops > low}
                known |= self.above[node]
        return self._size() > before

    def _size(self) -> int:
        return sum(len(facts) for table in (self.known, self.above) for facts in table.values())

    def chance(self, question: Question, answer: int) -> float:
        """Return how probably the reader is right.

        It guesses among the nodes of the asked kind that it knows of and that agree with what it knows of the thing;
        where there is none, among all names of the kind.
        """
        known = self.known.get(question.thing, {})
        if question.hops in known:
            return float(known[question.hops] == answer)
        met = {facts[question.hops] for facts in self.known.values() if question.hops in facts}
        fitting = [node for node in met if all(known.get(hops, up) == up for hops, up in self.above[node].items())]
        return (answer in fitting) / len(fitting) if fitting else 1 / len(KINDS[ASKED[question.hops - 1]])


def remembered(trained: Mapping[Question, int], asked: Mapping[Question, int]) -> float:
    """Return the expected share of right answers to questions, after others about the same larder."""
    memory = Memory(trained)
    return mean([memory.chance(question, answer) for question, answer in asked.items()])


def mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return sum(values) / len(values)
