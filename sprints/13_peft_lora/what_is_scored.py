"""Which tokens of a chat does the loss score? One chat, three masks, token by token.

    uv run sprints/13_peft_lora/what_is_scored.py
    uv run sprints/13_peft_lora/what_is_scored.py --question "how much rice?" --answer "90 g"

Theory: notes/09_instruction_tuning.md
"""

from dataclasses import dataclass
from typing import get_args

from matplotlib.figure import Figure

from adapter_study.chat_turns import Scored, encode_chat, give_template, render, scored_tokens
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.nn.pretrained import SHIPPED, load_tokenizer


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = SHIPPED  # whose tokenizer and template: cookbook, smollm2, a folder, or a name of the hub
    question: str = "how much lard?"  # what the user says
    answer: str = "3 tbsp"  # what the model is to say


@dataclass(frozen=True)
class Results:
    text: str
    tokens: list[str]
    scored: dict[str, list[bool]]


def main(config: Config) -> Results:
    tokenizer = load_tokenizer(config.model)
    give_template(tokenizer)
    messages = [{"role": "user", "content": config.question}, {"role": "assistant", "content": config.answer}]
    chat = encode_chat(tokenizer, messages)
    tokens = [str(tokenizer.decode([token])) for token in chat.tokens]
    scored: dict[str, list[bool]] = {what: scored_tokens(chat, what) for what in get_args(Scored)}
    for what, marks in scored.items():
        print(f"{what:19s} {' '.join(repr(token) if mark else '·' for token, mark in zip(tokens, marks, strict=True))}")
    return Results(render(tokenizer, messages), tokens, scored)


def plot(results: Results) -> Figure:
    """Draw the tokens of the chat once for each mask: green is scored, grey is only read."""
    shown = [token.replace(" ", "␣").replace("\n", "⏎").replace("<|endoftext|>", "<end>") for token in results.tokens]
    widths = [0.22 + 0.09 * len(token) for token in shown]
    figure, axes = drawings.canvas(2.0 + sum(widths) + 0.06 * len(widths), 0.62 * len(results.scored) + 0.15)
    for row, (what, marks) in enumerate(results.scored.items()):
        x, y = 1.85, 0.62 * (len(results.scored) - row) - 0.5
        drawings.text(axes, what, 1.75, y + 0.2, align="right")
        for token, width, mark in zip(shown, widths, marks, strict=True):
            drawings.box(axes, token, x, y, width, 0.4, drawings.VALUE if mark else drawings.TOKEN)
            x += width + 0.06
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)
