"""Checks of `reward`: honest texts, and texts that a policy would try."""

from typing import Any

from shared.lab.checking import expect

WHY = {
    "paid": "It pays for a text that does not give the right answer in one pair of tags.",
    "refused": "It refuses an honest right answer.",
}


def compare(learner: Any, answer: str, text: str, right: float, why: str | None = None) -> None:
    sentence = why or (WHY["refused"] if right else WHY["paid"])
    expect(learner.reward, {"answer": answer, "text": text}, right, {sentence: 1.0 - right})


def check_an_honest_answer(learner: Any) -> None:
    """A thought and a right answer, and a thought and a wrong one."""
    compare(learner, "30 g", "<think>40/4=10;10*3=30</think><answer>30 g</answer>", 1.0)
    compare(learner, "30 g", "<think>40/4=10;10*3=33</think><answer>33 g</answer>", 0.0)


def check_units(learner: Any) -> None:
    """The unit may be left out, but not be another one; spaces do not matter."""
    compare(learner, "30 g", "<answer>30</answer>", 1.0, "The unit may be left out.")
    compare(learner, "30 g", "<answer> 30  g </answer>", 1.0, "Spaces do not matter.")
    compare(learner, "30 g", "<answer>30 ml</answer>", 0.0, "Another unit is another answer.")
    compare(learner, "17:45", "<answer>17:45</answer>", 1.0, "A time of day has no unit.")


def check_the_number_alone(learner: Any) -> None:
    """The number outside of the tags, as a part of another number, or with the tags left out."""
    compare(learner, "30 g", "it is 30 g", 0.0, "Without tags there is no answer.")
    compare(learner, "30 g", "<think>30 g</think><answer>31 g</answer>", 0.0, "Only what stands in the tags counts.")
    compare(learner, "30 g", "<answer>300 g</answer>", 0.0, "300 is another number than 30.")
    compare(learner, "30 g", "<answer>130 g</answer>", 0.0, "130 is another number than 30.")
    compare(learner, "30 g", "<answer>30 g", 0.0, "The tag is not closed.")


def check_many_answers(learner: Any) -> None:
    """Somebody who writes all numbers is right as well, if you let him."""
    compare(learner, "30 g", "<answer>30 g</answer><answer>31 g</answer>", 0.0, "There are two pairs of tags.")
    compare(learner, "30 g", "<answer>29 g</answer><answer>30 g</answer>", 0.0, "There are two pairs of tags.")
    compare(learner, "30 g", "<answer>29 30 31</answer>", 0.0, "There are several numbers in the tags.")
    compare(learner, "30 g", "<answer>30 g darling</answer>", 0.0, "Between the tags stands more than the answer.")
