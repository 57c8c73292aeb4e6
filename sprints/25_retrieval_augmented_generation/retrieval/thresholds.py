"""From what confidence on a sentence is given: what own_questions.py chose on the validation questions."""

ENOUGH: dict[str, float] = {"words": 0.44, "minilm": 0.42}
