"""The web page of the demo, which demo.py serves, load_test.py loads and screenshot.py photographs.

It needs no network, and listens on this machine alone (`shared/web/serving.py`). Whoever asks for whatever, the others
get their turn (`turns.py`), and only what the page needs comes in (`shared/web/gate.py`).
"""

import contextlib
import html
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, no_type_check

from decoding_demo.chosen_model import ChosenModel, load
from decoding_demo.page_parts import headline, make_controls, verdict
from decoding_demo.prompts import EXAMPLES, MOST_CHARACTERS, QUESTIONS
from decoding_demo.sampling_settings import SamplingSettings
from decoding_demo.streaming import write
from decoding_demo.token_html import given, words
from decoding_demo.turns import Turn, Turns
from shared.nn.pretrained import SHIPPED
from shared.web import serving
from shared.web.serving import import_gradio, launch

if TYPE_CHECKING:  # gradio takes seconds to import
    import gradio

SECONDS = 120  # a text takes at most, waiting included
MOST_TEXTS = 64  # that are written at the same time
MOST_UNREAD, UNREAD_SECONDS = 5, 5.0  # pieces of a text that wait for a reader, and how long
CSS = Path(__file__).with_suffix(".css")


@dataclass(frozen=True)
class Server(serving.Server):
    """A page on which several users write, in turns."""

    turns: Turns

    def close(self) -> None:
        """End the texts that are being written, and stop serving."""
        end = time.monotonic() + 5
        # Without the server nobody would read them, and each would wait for its reader for ever.
        while self.turns.texts and time.monotonic() < end:
            for text in [*self.turns.texts]:
                text.stop("the page was closed")
            time.sleep(0.01)
        super().close()


def build(chosen: ChosenModel, turns: Turns, *, chat: bool | None = None) -> "gradio.Blocks":
    """Return the page for a model.

    Args:
        chosen: the model; the shipped one's texts are judged by the cookbook's grammar.
        turns: hands out turns to compute.
        chat: whether a prompt is a message to be answered (default: if the model can chat).
    """
    chosen.encode("", chat)  # says whether it can
    answers = chosen.can_chat if chat is None else chat
    examples = QUESTIONS if answers else EXAMPLES
    gr = import_gradio()
    from gradio.context import LocalContext

    @no_type_check  # what tests wrap around a function to check its types is no generator, and gradio asks for one
    def respond(prompt: Any, *values: Any) -> Iterator[tuple[str, str, str]]:
        user = LocalContext.request.get().session_hash
        try:
            settings = SamplingSettings.read(dict(zip(SamplingSettings.LIMITS, values, strict=True)))
            page = ""
            # Closed by name: a text has to end when the page stops listening, not when Python tidies up.
            with (
                contextlib.closing(turns.open(user, SECONDS)) as turn,
                contextlib.closing(write(chosen, prompt, settings, turn, chat=chat)) as stream,
            ):
                done = 0
                for written in stream:
                    page = page or given(f"{prompt}\n\n" if answers else prompt)
                    page += words(written.considered[done:])
                    done, text = len(written.considered), ("" if answers else prompt) + written.text
                    yield text, page, f"{done} tokens"
                    wait_for_reader(blocks, user, turn)
            yield text, page, verdict(chosen.name, prompt, text, written.considered, settings, turn.reason)
        except ValueError as error:
            # The page shows the message as HTML, and it quotes what the user sent.
            message = html.escape(str(error), quote=False)
            raise gr.Error(message, title="Please change this", print_exception=False) from None

    with gr.Blocks(title="What does the model consider?", analytics_enabled=False) as blocks:
        gr.Markdown(headline(chosen.name, answers=answers))
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                prompt = gr.Textbox(
                    examples[0],
                    label="Message" if answers else "Prompt",
                    lines=3,
                    max_length=MOST_CHARACTERS,
                    elem_id="prompt",
                )
                with gr.Row():
                    begin = gr.Button("Write", variant="primary", min_width=80, elem_id="write")
                    stop = gr.Button("Stop", variant="stop", min_width=80, elem_id="stop")
                gr.Examples(examples, prompt, label="Examples")
                controls = make_controls(gr, room=chosen.model.config.context - 1)
            with gr.Column(scale=5, min_width=520):
                shown = gr.HTML(elem_id="words")
                status = gr.Markdown("Press **Write**.", elem_id="status")
                text = gr.Textbox(label="Plain text", lines=3, max_lines=3, buttons=["copy"], elem_id="text")
        # preprocess=False: the sliders' own refusal of a value would print a traceback; ours is a message.
        started = gr.on(
            [begin.click, prompt.submit],
            respond,
            [prompt, *controls],
            [text, shown, status],
            api_name="write",
            preprocess=False,
            concurrency_limit=None,
            show_progress="hidden",
        )
        # Cancelling closes `respond`, which closes what `write` returned, which ends the thread.
        stop.click(None, cancels=[started])
    blocks.queue(max_size=MOST_TEXTS, api_open=False)
    # What nobody reads is kept for the last so many pages, where gradio would keep it for 2,000.
    blocks._queue.pending_messages_per_session.max_size = 5 * MOST_TEXTS
    return blocks


def wait_for_reader(blocks: "gradio.Blocks", user: str, turn: Turn) -> None:
    """Wait until what was sent has been read, nearly; end the text if nobody does."""
    end = time.monotonic() + UNREAD_SECONDS
    while True:
        unread = blocks._queue.pending_messages_per_session.get(user)
        if turn.is_over or (unread is not None and unread.qsize() <= MOST_UNREAD):
            return
        if unread is None or time.monotonic() >= end:
            turn.stop("nobody read it")
            return
        time.sleep(0.05)


def serve(
    model_name: str = SHIPPED,
    *,
    users: int = 8,
    port: int | None = None,
    device: str = "cpu",
    chat: bool | None = None,
) -> Server:
    """Serve the page on this machine alone and return at once.

    Args:
        model_name: as for `shared.nn.pretrained.load_causal_model`.
        users: texts that compute at the same time.
        port: default: the first free one from 7860 on.
        device: where the model computes.
        chat: as for `build`.

    Raises:
        ValueError: the model cannot be loaded, or the port is taken.
    """
    turns = Turns(users, MOST_TEXTS)
    blocks = build(load(model_name, device), turns, chat=chat)
    return Server(launch(blocks, name="write", css=CSS, port=port, most=MOST_TEXTS), blocks, turns)
