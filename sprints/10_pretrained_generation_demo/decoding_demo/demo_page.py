"""The web page of the demo, which demo.py serves, load_test.py loads and screenshot.py photographs.

It needs no network: fonts are the system's, telemetry and sharing are off, and it listens on this machine alone.
"""

import contextlib
import html
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, no_type_check

from decoding_demo.sampling_settings import SamplingSettings
from decoding_demo.streaming import MOST_CHARACTERS, Considered, write
from decoding_demo.token_html import given, words
from shared.nn.pretrained import SHIPPED, context_length, load_causal_model
from shared.text.cookbook import Cookbook

if TYPE_CHECKING:  # gradio takes seconds to import
    import gradio
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

HOST = "127.0.0.1"
EXAMPLES = ["Smoky Soup with", "Zesty Salad with Mango and Feta\nServes 4", "Herby"]
CSS = Path(__file__).with_suffix(".css")


@dataclass(frozen=True)
class Server:
    """A page that is being served."""

    url: str
    blocks: "gradio.Blocks"

    def close(self) -> None:
        """Stop serving."""
        self.blocks.close(verbose=False)


def import_gradio() -> Any:
    """Return gradio, told beforehand to send nothing home."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import gradio

    return gradio


def build(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", name: str, users: int) -> "gradio.Blocks":
    """Return the page for a model.

    Args:
        model, tokenizer: as by `load_causal_model`.
        name: is shown; the shipped model's texts are judged by the cookbook's grammar.
        users: generations that run at the same time; others wait in a queue.
    """
    gr = import_gradio()

    @no_type_check  # what tests wrap around a function to check its types is no generator, and gradio asks for one
    def respond(prompt: Any, *values: Any) -> Iterator[tuple[str, str, str]]:
        try:
            settings = SamplingSettings.read(dict(zip(SamplingSettings.LIMITS, values, strict=True)))
            page = ""
            # Closed by name: the thread has to end when the page stops listening, not when Python tidies up.
            with contextlib.closing(write(model, tokenizer, prompt, settings)) as stream:
                done = 0
                for written in stream:
                    page = page or given(prompt)
                    page += words(written.considered[done:])
                    done, text = len(written.considered), prompt + written.text
                    yield text, page, f"{done} tokens"
            yield text, page, verdict(name, prompt, text, written.considered, settings)
        except ValueError as error:
            # The page shows the message as HTML, and it quotes what the user sent.
            message = html.escape(str(error), quote=False)
            raise gr.Error(message, title="Please change this", print_exception=False) from None

    with gr.Blocks(title="What does the model consider?", analytics_enabled=False) as blocks:
        gr.Markdown(
            f"# What does the model consider?\n`{name}` continues your text, one token at a time. The darker a token, "
            "the less probable it was. **Point at one to see what else the model considered.**"
        )
        with gr.Row():
            with gr.Column(scale=2, min_width=320):
                prompt = gr.Textbox(EXAMPLES[0], label="Prompt", lines=3, max_length=MOST_CHARACTERS, elem_id="prompt")
                with gr.Row():
                    begin = gr.Button("Write", variant="primary", min_width=80, elem_id="write")
                    stop = gr.Button("Stop", variant="stop", min_width=80, elem_id="stop")
                gr.Examples(EXAMPLES, prompt, label="Examples")
                controls = make_controls(gr, room=context_length(model) - 1)
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
            concurrency_limit=users,
            show_progress="hidden",
        )
        # Cancelling closes `respond`, which closes what `write` returned, which ends the thread.
        stop.click(None, cancels=[started])
    return blocks.queue(max_size=100)


def make_controls(gr: Any, room: int) -> list[Any]:
    """Return a control for each setting, in the order of `SamplingSettings.LIMITS`."""
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


def verdict(name: str, prompt: str, text: str, considered: list[Considered], settings: SamplingSettings) -> str:
    """Return what there is to say about a finished text, in Markdown."""
    likely = sum(choice.token.model >= 0.5 for choice in considered)
    summary = f"{len(considered)} tokens with seed {settings.seed}; the model was at least half sure of {likely}."
    if prompt.endswith(" "):
        summary += " The prompt ends in a space: `trailing_space.py` shows what that does."
    if name != SHIPPED:
        return summary
    fault = Cookbook().fault(text)
    return f"{summary} {'**A valid recipe.**' if fault is None else f'Not a valid recipe: `{fault}`'}"


def serve(model_name: str = SHIPPED, *, users: int = 8, port: int | None = None, device: str = "cpu") -> Server:
    """Serve the page on this machine alone and return at once.

    Args:
        model_name: as for `load_causal_model`.
        users: generations that run at the same time.
        port: default: the first free one from 7860 on.
        device: where the model computes.

    Raises:
        ValueError: the model cannot be loaded, or the port is taken.
    """
    gr = import_gradio()
    model, tokenizer = load_causal_model(model_name)
    blocks = build(model.to(device), tokenizer, model_name, users)
    try:
        _, url, _ = blocks.launch(
            server_name=HOST,
            server_port=port,
            prevent_thread_lock=True,
            share=False,
            quiet=True,
            css_paths=CSS,
            theme=gr.themes.Default(
                primary_hue="blue", font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
            ),
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            mcp_server=False,
            ssr_mode=False,
            pwa=False,
            inbrowser=False,
        )
    except OSError as error:
        raise ValueError(f"port {port} is taken: choose another one, or none ({error})") from error
    return Server(url, blocks)
