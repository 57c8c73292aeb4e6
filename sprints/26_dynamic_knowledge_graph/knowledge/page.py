"""The page of page.py: an entity and its neighbours as of any day and any time, why its names are one, and undo."""

import html
from pathlib import Path
from typing import TYPE_CHECKING, Any, no_type_check

from knowledge.desk import Compared, Desk
from knowledge.page_html import shown
from shared.web.serving import Server, import_gradio, launch

if TYPE_CHECKING:  # gradio takes seconds to import
    import gradio

CSS = Path(__file__).with_suffix(".css")
MOST = 4  # requests that are answered at the same time


def label(pair: Compared) -> str:
    """Return a pair as the list of the page names it."""
    return f"{pair.one} | {pair.other}"


def show(desk: Desk, name: Any, day: Any, known: Any) -> str:
    """Return an entity as HTML.

    Args:
        desk: with the store.
        name: any name of the entity.
        day: for which its facts hold.
        known: arrivals after which they were known.

    Raises:
        ValueError: it is no name, or no numbers.
    """
    if not isinstance(name, str) or len(name) > 10_000:
        raise ValueError("choose an entity of the list")
    if not all(isinstance(number, int | float) and -1e9 < number < 1e9 for number in (day, known)):
        raise ValueError("day and arrivals are whole numbers")
    return shown(desk.see(name, int(day), int(known)), desk.compared(name))


def decide(desk: Desk, pair: Any, same: bool) -> None:
    """Decide on a pair of the list.

    Raises:
        ValueError: no pair was chosen.
    """
    one, stroke, other = pair.partition(" | ") if isinstance(pair, str) else ("", "", "")
    if not stroke:
        raise ValueError("choose two names first")
    desk.decide(one, other, same)


def build(desk: Desk) -> "gradio.Blocks":
    """Return the page for a store."""
    gr = import_gradio()
    first, last, tick = desk.spans()
    entities = desk.entities()
    chosen = entities[0] if entities else None

    def said(error: ValueError) -> Any:
        # The page shows the message as HTML, and it may quote what was sent.
        return gr.Error(html.escape(str(error), quote=False), title="Please change this", print_exception=False)

    @no_type_check
    def respond(name: Any, day: Any, known: Any) -> str:
        try:
            return show(desk, name, day, known)
        except ValueError as error:
            raise said(error) from None

    @no_type_check
    def pairs_of(name: Any) -> Any:
        choices = [label(pair) for pair in desk.compared(name)] if isinstance(name, str) else []
        return gr.update(choices=choices, value=choices[0] if choices else None)

    def deciding(same: bool) -> Any:
        @no_type_check
        def act(name: Any, pair: Any, day: Any) -> Any:
            try:
                decide(desk, pair, same)
                now = desk.spans()[2]
                page = show(desk, name, day, now)
            except ValueError as error:
                raise said(error) from None
            pairs = gr.update(choices=[label(one) for one in desk.compared(name)], value=pair)
            return gr.update(choices=desk.entities(), value=name), pairs, gr.update(maximum=now, value=now), page

        return act

    with gr.Blocks(title="A graph that grows", analytics_enabled=False) as blocks:
        gr.Markdown("# A graph that grows\nWhat is known of an entity: for which day, and after how many arrivals.")
        # Names that are no longer the first of their entity stay names: the list may be older than the store.
        name = gr.Dropdown(entities, value=chosen, label="Entity", elem_id="entity", allow_custom_value=True)
        with gr.Row():
            day = gr.Slider(first, max(last, first + 1), value=last, step=1, label="Day", elem_id="day")
            known = gr.Slider(0, max(tick, 1), value=tick, step=1, label="After so many arrivals", elem_id="known")
        page = gr.HTML(show(desk, chosen, last, tick) if chosen else "", elem_id="page")
        with gr.Row():
            pair = gr.Dropdown([], label="Two names", elem_id="pair", allow_custom_value=True, scale=3)
            apart = gr.Button("They are two", elem_id="apart")
            together = gr.Button("They are one", elem_id="together")
        asked = {"show_progress": "hidden", "concurrency_limit": MOST, "concurrency_id": "questions"}
        inputs = [name, day, known]
        day.change(respond, inputs, page, api_name="show", **asked)
        for changed in (name, known):
            changed.change(respond, inputs, page, api_visibility="private", **asked)
        name.change(pairs_of, name, pair, api_visibility="private", **asked)
        blocks.load(pairs_of, name, pair, api_visibility="private", **asked)
        for button, same in ((apart, False), (together, True)):
            outputs = [name, pair, known, page]
            button.click(deciding(same), [name, pair, day], outputs, api_visibility="private", **asked)
    blocks.queue(max_size=MOST * 8, api_open=False)
    return blocks


def serve(desk: Desk, *, port: int | None = None) -> Server:
    """Serve the page on this machine alone and return at once.

    Args:
        desk: with the store.
        port: default: the first free one from 7860 on.

    Raises:
        ValueError: the port is taken.
    """
    blocks = build(desk)
    return Server(launch(blocks, name="show", css=CSS, port=port, most=MOST * 8), blocks)
