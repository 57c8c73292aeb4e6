"""Parts of the page: a control for each setting, and what is said about a text."""

import html
from typing import Any

from decoding_demo.sampling_settings import SamplingSettings
from decoding_demo.streaming import Considered
from shared.nn.pretrained import SHIPPED
from shared.text.cookbook import Cookbook


def headline(name: str, *, answers: bool) -> str:
    """Return what the page says first, in Markdown."""
    does = "answers your message" if answers else "continues your text"
    return (
        f"# What does the model consider?\n`{html.escape(name)}` {does}, one token at a time. The darker a token, the "
        "less probable it was. **Point at one to see what else the model considered.**"
    )


def make_controls(gr: Any, room: int) -> list[Any]:
    """Return a control for each setting, in the order of `SamplingSettings.LIMITS`."""
    room = min(room, int(SamplingSettings.LIMITS["max_new_tokens"][1]))
    sliders = {  # lowest, highest, first value, step, explanation
        "temperature": (0.1, 3, 1, 0.05, "below 1 safer, above 1 wilder"),
        "top_k": (0, 100, 0, 1, "keep k tokens; 0 keeps all"),
        "top_p": (0.05, 1, 1, 0.01, "keep tokens up to this sum"),
        "repetition_penalty": (1, 2, 1, 0.05, "1 is none"),
        "max_new_tokens": (1, room, min(200, room), 1, "at most so many"),
        "pace": (0, 100, 25, 5, "tokens a second; 0: no limit"),
    }
    controls = []
    for name in SamplingSettings.LIMITS:
        label = name.replace("top_", "top-").replace("_", " ").capitalize()
        if name == "seed":
            controls.append(
                gr.Number(0, precision=0, label=label, info="the same one writes the same text", elem_id=name)
            )
        else:
            low, high, value, step, info = sliders[name]
            controls.append(gr.Slider(low, high, value, step=step, label=label, info=info, elem_id=name))
    return controls


def verdict(
    name: str, prompt: str, text: str, considered: list[Considered], settings: SamplingSettings, ended: str | None
) -> str:
    """Return what there is to say about a text, in Markdown; `ended` says why it is not finished."""
    likely = sum(choice.token.model >= 0.5 for choice in considered)
    summary = f"{len(considered)} tokens with seed {settings.seed}; the model was at least half sure of {likely}."
    if ended is not None:
        return f"{summary} **It was ended, because {ended}.**"
    if prompt.endswith(" "):
        summary += " The prompt ends in a space: `trailing_space.py` shows what that does."
    if name != SHIPPED:
        return summary
    fault = Cookbook().fault(text)
    return f"{summary} {'**A valid recipe.**' if fault is None else f'Not a valid recipe: `{fault}`'}"
