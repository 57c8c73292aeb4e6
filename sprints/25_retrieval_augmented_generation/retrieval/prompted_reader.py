"""A reader that was never trained to read a pantry: a language model that is shown a few tasks with their answers."""

import re
from collections.abc import Sequence
from typing import Any

import torch

from retrieval.readers import Said
from retrieval.reading import UNKNOWN, Example
from shared.nn.pretrained import load_causal_model

MOST_NEW = 10  # tokens of an answer
LINE = re.compile(r"(?P<answer>I do not know|\w+)(?: \[(?P<place>\d+)\])?")


class PromptedReader:
    """Writes on where a prompt ends: tasks with answers, and then a task without one.

    Args:
        name: as for `load_causal_model`: "smollm2", or a folder.
        shots: the tasks that are shown with their answers.
    """

    def __init__(self, name: str, shots: Sequence[Example]) -> None:
        model, tokenizer = load_causal_model(name)
        self.model: Any = model  # the methods of transformers have no types to rely on
        self.tokenizer: Any = tokenizer
        self.shown = "\n\n".join(shot.prompt + shot.target for shot in shots)

    def prompt(self, example: Example) -> str:
        """Return what the model is given."""
        return f"{self.shown}\n\n{example.prompt}"

    @torch.no_grad()
    def read(self, example: Example) -> Said:
        """Return its most probable line, token by token; the belief is the product of their probabilities.

        A line that is no answer in the form of the tasks is taken as it is; it cites nothing, and cannot be right.
        """
        asked = self.tokenizer(self.prompt(example), return_tensors="pt").input_ids
        written = self.model.generate(
            input_ids=asked, attention_mask=torch.ones_like(asked), max_new_tokens=MOST_NEW, do_sample=False,
            output_scores=True, return_dict_in_generate=True, pad_token_id=self.tokenizer.pad_token_id,
        )  # fmt: skip
        tokens, belief, kept = written.sequences[0, asked.shape[1] :], 1.0, []
        for token, scores in zip(tokens, written.scores, strict=True):
            belief *= float(scores[0].float().softmax(dim=0)[token])
            kept.append(int(token))
            if "\n" in self.tokenizer.decode(kept):
                break
        return self.parse(self.tokenizer.decode(kept, skip_special_tokens=True), belief)

    def parse(self, text: str, belief: float) -> Said:
        """Return what the first line of a text says."""
        line = (text.strip().splitlines() or [""])[0].strip().removesuffix(".")
        match = LINE.fullmatch(line)
        if match is None:
            return Said(line, None, belief)
        place = match["place"]
        return Said(match["answer"], None if place is None or match["answer"] == UNKNOWN else int(place), belief)
