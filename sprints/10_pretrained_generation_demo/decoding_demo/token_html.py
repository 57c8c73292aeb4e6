"""Tokens as HTML: shaded by how improbable they were, each with a box of what else the model considered."""

import html
import re

from decoding_demo.streaming import Alternative, Considered

CONTROL = re.compile(r"<\|\w+\|>|</s>")  # tokens that end a text or a message


def given(prompt: str) -> str:
    """Return a prompt as HTML."""
    return f'<span class="given">{html.escape(prompt)}</span>'


def words(considered: list[Considered]) -> str:
    """Return tokens as HTML. What is shown only grows at its end, so little has to be sent."""
    return "".join(map(_token, considered))


def _token(considered: Considered) -> str:
    token = considered.token
    listed = considered.alternatives
    if token.text not in [alternative.text for alternative in listed]:
        listed = [*listed, token]
    rows = "".join(_row(alternative, drawn=alternative.text == token.text) for alternative in listed)
    return (
        f'<span class="token" tabindex="0" style="--surprise:{1 - token.model:.3f}">{_visible(token.text)}'
        f'<span class="box">drawn: <b>{_quoted(token.text)}</b>'
        f"<table><tr><th>token</th><th>model</th><th>settings</th></tr>{rows}</table></span></span>"
    )


def _row(alternative: Alternative, drawn: bool) -> str:
    cells = f"<td>{_quoted(alternative.text)}</td><td>{alternative.model:.1%}</td><td>{alternative.drawn:.1%}</td>"
    return f'<tr style="--share:{alternative.model:.0%}"{" class=drawn" if drawn else ""}>{cells}</tr>'


def _visible(text: str) -> str:
    """Return a token as it stands in the text; a line break and the end have a sign, or one could not point at them."""
    sign = '<span class="sign">{}</span>'
    if CONTROL.fullmatch(text):
        return sign.format("■")
    return html.escape(text).replace("\n", sign.format("⏎") + "\n")


def _quoted(text: str) -> str:
    """Return a token with its blanks made visible."""
    return html.escape(text).replace(" ", "·").replace("\n", "⏎")
