"""The page of demo.py: lay a table or drop a picture, watch the caption come, and what each word looked at.

A picture travels as text, inside the address that shows it. So the server keeps nothing between two requests, and a
program sends pictures as the page does. Files that are dropped are read, and deleted within two minutes.
"""

import html
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, no_type_check

from seeing.drawing import decode, render
from seeing.page_html import EMPTY, shown
from seeing.page_pictures import empty_table, from_uri, is_empty, to_uri
from seeing.picture_squares import read_square
from seeing.scenes import COLOURS, KINDS, MOST_ITEMS, SIDE, SIZES, Item, Scene, scenes
from seeing.vision_language import VisionLanguageModel
from seeing.watching import Said, watch
from shared.web.serving import Server, import_gradio, launch

if TYPE_CHECKING:  # gradio and transformers take seconds to import
    import gradio
    from transformers import PreTrainedTokenizerBase

CSS = Path(__file__).with_suffix(".css")
MOST_TEXTS = 8  # captions that are written at the same time; others wait
UPLOAD = 20_000_000  # bytes of a file
# A click on the picture becomes the number of the place, row by row.
CLICK = """element.addEventListener('click', (event) => {
  const picture = event.target.closest('.picture');
  if (!picture) return;
  const box = picture.getBoundingClientRect();
  const at = (from, length) => Math.min(2, Math.max(0, Math.floor(3 * from / length)));
  trigger('click', {place: 3 * at(event.clientY - box.top, box.height) + at(event.clientX - box.left, box.width)});
});"""


def put(picture: str, kind: str, colour: str, size: str, place: int) -> str:
    """Return the picture with one thing more; it replaces what lies in its place, and what is of its kind.

    Args:
        picture: as text; what is no table counts as an empty one.
        kind, colour, size: of the thing.
        place: from 0 to 8, row by row.

    Raises:
        ValueError: it would be the fifth thing, or there is no such thing or place.
    """
    try:
        items = decode(from_uri(picture)).items
    except ValueError:
        items = ()
    new = Item(kind, colour, size, *divmod(int(place), SIDE))
    others = [item for item in items if item.kind != kind and (item.row, item.column) != (new.row, new.column)]
    if len(others) == MOST_ITEMS:
        raise ValueError(f"a table has at most {MOST_ITEMS} things: put this one where another one lies, or clear it")
    return to_uri(render(Scene((*others, new))))


def say(model: VisionLanguageModel, tokenizer: "PreTrainedTokenizerBase", picture: str) -> Iterator[tuple[str, str]]:
    """Yield the page's picture with the caption so far, and the caption as text; an empty picture gets a sentence.

    Raises:
        ValueError: it is no picture.
    """
    seen = from_uri(picture)
    if is_empty(seen):
        yield shown(seen, sentence=EMPTY), EMPTY
        return
    said: list[Said] = []
    yield shown(seen), ""
    for one in watch(model, tokenizer, seen.float() / 127.5 - 1):
        said.append(one)
        yield shown(seen, said), "".join(part.text for part in said).strip()


def build(model: VisionLanguageModel, tokenizer: "PreTrainedTokenizerBase") -> "gradio.Blocks":
    """Return the page for a model, which is in evaluation mode."""
    gr = import_gradio()

    def or_message(work: Callable[[], Any]) -> Any:
        try:
            return work()
        except (ValueError, TypeError) as error:
            # The page shows the message as HTML, and it may quote what was sent.
            message = html.escape(str(error), quote=False)
            raise gr.Error(message, title="Please change this", print_exception=False) from None

    @no_type_check  # what tests wrap around a function to check its types is no generator, and gradio asks for one
    def respond(picture: Any) -> Iterator[tuple[str, str]]:
        steps = say(model, tokenizer, picture)
        while (step := or_message(lambda: next(steps, None))) is not None:
            yield step

    def clicked(picture: Any, kind: Any, colour: Any, size: Any, event: gr.EventData) -> str:
        return or_message(lambda: put(picture, kind, colour, size, event._data["place"]))

    def laid(number: Any) -> tuple[str, int]:
        return or_message(lambda: (to_uri(render(scenes("test", int(number), 1)[0])), int(number) + 1))

    def dropped(path: Any) -> str:
        return or_message(lambda: to_uri(read_square(Path(path), Path(path).name)))

    first = to_uri(empty_table())
    with gr.Blocks(title="What is on the table?", analytics_enabled=False, delete_cache=(60, 60)) as blocks:
        gr.Markdown(
            "# What is on the table?\nClick on the table to put something there, or drop a picture. **Point at a word "
            "to see what the model looked at** when it chose it: what is dark, it did not look at."
        )
        with gr.Row():
            with gr.Column(scale=2, min_width=400):
                page = gr.HTML(shown(empty_table(), sentence=EMPTY), js_on_load=CLICK, elem_id="page")
                text = gr.Textbox(label="Plain text", lines=2, buttons=["copy"], elem_id="text")
            with gr.Column(scale=2, min_width=320):
                kind = gr.Radio(list(KINDS), value=KINDS[0], label="Thing", elem_id="kind")
                colour = gr.Radio(list(COLOURS), value=COLOURS[0], label="Colour", elem_id="colour")
                size = gr.Radio(list(SIZES), value=SIZES[1], label="Size", elem_id="size")
                with gr.Row():
                    number = gr.Number(0, precision=0, minimum=0, label="Table number", elem_id="number")
                    lay = gr.Button("Lay this table", variant="primary", elem_id="lay")
                    clear = gr.Button("Clear", elem_id="clear")
                file = gr.File(label="Or drop a picture", file_types=["image"], height=120, elem_id="file")
        picture = gr.Textbox(first, visible="hidden", elem_id="picture")
        quiet = {"api_visibility": "private", "show_progress": "hidden"}
        page.click(clicked, [picture, kind, colour, size], picture, **quiet)
        lay.click(laid, number, [picture, number], **quiet)
        clear.click(lambda: first, None, picture, **quiet)
        file.upload(dropped, file, picture, **quiet)
        picture.change(
            respond, picture, [page, text],
            api_name="look", show_progress="hidden", concurrency_limit=MOST_TEXTS,
            trigger_mode="always_last",
        )  # fmt: skip
    blocks.queue(max_size=MOST_TEXTS * 8, api_open=False)
    blocks._queue.pending_messages_per_session.max_size = 8 * MOST_TEXTS  # of what nobody reads
    return blocks


def serve(model: VisionLanguageModel, tokenizer: "PreTrainedTokenizerBase", *, port: int | None = None) -> Server:
    """Serve the page on this machine alone and return at once.

    Args:
        model: in evaluation mode.
        tokenizer: of its text.
        port: default: the first free one from 7860 on.

    Raises:
        ValueError: the port is taken.
    """
    blocks = build(model, tokenizer)
    return Server(launch(blocks, name="look", css=CSS, port=port, most=MOST_TEXTS * 8, uploads=UPLOAD), blocks)
