"""The page of demo.py: a question, the answer as it comes, and its sources in place."""

import html
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, no_type_check

from retrieval.asking import UNKNOWN, Asker
from retrieval.page_html import shown
from shared.web.serving import Server, import_gradio, launch

if TYPE_CHECKING:  # gradio takes seconds to import
    import gradio

CSS = Path(__file__).with_suffix(".css")
LONGEST = 300  # characters of a question
MOST_ANSWERS = 4  # that are written at the same time; others wait


def say(asker: Asker, question: Any) -> Iterator[tuple[str, str]]:
    """Yield what the page shows with the answer so far, word by word, and the answer as text with its place.

    Raises:
        ValueError: it is no question, or a long one.
    """
    if not isinstance(question, str) or not question.strip():
        raise ValueError("write a question")
    if len(question) > LONGEST:
        raise ValueError(f"a question has at most {LONGEST} characters; this one has {len(question):,}")
    answer, documents = asker.ask(question), asker.indexed.documents
    text = UNKNOWN if answer is None else answer.text
    words = text.split(" ")
    for number in range(1, len(words)):
        yield shown(" ".join(words[:number]), answer, documents), " ".join(words[:number])
    place = f" [{answer.sentence.place}]" if answer is not None and answer.known else ""
    yield shown(text, answer, documents), text + place


def build(asker: Asker, title: str) -> "gradio.Blocks":
    """Return the page for an index."""
    gr = import_gradio()

    @no_type_check  # what tests wrap around a function to check its types is no generator, and gradio asks for one
    def respond(question: Any) -> Iterator[tuple[str, str]]:
        try:
            yield from say(asker, question)
        except ValueError as error:
            # The page shows the message as HTML, and it may quote what was sent.
            message = html.escape(str(error), quote=False)
            raise gr.Error(message, title="Please change this", print_exception=False) from None

    files, pieces = len(asker.indexed.documents), len(asker.indexed.chunks)
    with gr.Blocks(title="Ask a folder", analytics_enabled=False) as blocks:
        gr.Markdown(
            f"# Ask a folder\n`{title}`: {files:,} files in {pieces:,} pieces. The answer is a sentence of one "
            "of them, marked where it stands, or *I do not know*."
        )
        with gr.Row():
            question = gr.Textbox(label="Question", lines=1, max_length=LONGEST, scale=5, elem_id="question")
            ask = gr.Button("Ask", variant="primary", scale=1, elem_id="ask")
        page = gr.HTML(shown("", None, {}), elem_id="page")
        text = gr.Textbox(label="Plain text", lines=2, buttons=["copy"], elem_id="text")
        asked = {"show_progress": "hidden", "concurrency_limit": MOST_ANSWERS, "concurrency_id": "answers"}
        ask.click(respond, question, [page, text], api_name="ask", **asked)
        question.submit(respond, question, [page, text], api_visibility="private", **asked)
    blocks.queue(max_size=MOST_ANSWERS * 8, api_open=False)
    blocks._queue.pending_messages_per_session.max_size = 8 * MOST_ANSWERS  # of what nobody reads
    return blocks


def serve(asker: Asker, title: str, *, port: int | None = None) -> Server:
    """Serve the page on this machine alone and return at once.

    Args:
        asker: with an index.
        title: of the index, which the page names.
        port: default: the first free one from 7860 on.

    Raises:
        ValueError: the port is taken.
    """
    blocks = build(asker, title)
    return Server(launch(blocks, name="ask", css=CSS, port=port, most=MOST_ANSWERS * 8), blocks)
