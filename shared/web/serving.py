"""Serving a page of gradio to this machine alone: it needs no network, and sends nothing home."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.web.gate import Gate

if TYPE_CHECKING:  # gradio takes seconds to import
    import gradio

HOST = "127.0.0.1"
FOR_EVER = 1e8  # seconds


@dataclass(frozen=True)
class Server:
    """A page that is being served."""

    url: str
    blocks: "gradio.Blocks"

    def close(self) -> None:
        """Stop serving."""
        self.blocks.close(verbose=False)

    def keep_open(self, seconds: float | None) -> None:
        """Say where the page is, serve it for so long (None: until Ctrl-C), and close it."""
        print(f"Open {self.url}", flush=True)
        try:
            time.sleep(FOR_EVER if seconds is None else seconds)
        except KeyboardInterrupt:
            print()
        self.close()


def import_gradio() -> Any:
    """Return gradio, told beforehand to send nothing home and to keep no long list of what it has done."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "100"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    import gradio

    return gradio


def launch(
    blocks: "gradio.Blocks", *, name: str, css: Path, port: int | None = None, most: int = 64, uploads: int = 0
) -> str:
    """Serve a page on this machine alone, return at once, and say where.

    Fonts are the system's, telemetry and sharing are off, and `Gate` stands before the page.

    Args:
        blocks: the page.
        name: of its function that a program may call, as `api_name` names it.
        css: the page's style.
        port: default: the first free one from 7860 on.
        most: requests that are answered at the same time; each holds a thread until it ends.
        uploads: bytes of a file that may be sent (0: none is taken).

    Raises:
        ValueError: the port is taken.
    """
    from starlette.middleware import Middleware

    gr = import_gradio()
    try:
        _, url, _ = blocks.launch(
            server_name=HOST,
            server_port=port,
            root_path="",
            app_kwargs={"middleware": [Middleware(Gate, name=name, uploads=uploads)]},
            max_threads=most + 20,
            state_session_capacity=most,
            prevent_thread_lock=True,
            share=False,
            quiet=True,
            css_paths=css,
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
    return url
