"""A page is served to this machine alone, and sends nothing home."""

import os
import socket
from pathlib import Path

import httpx
import pytest

from shared.web.serving import HOST, Server, import_gradio, launch


@pytest.fixture(scope="module")
def blocks():
    gr = import_gradio()
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Button("Look")
    page.queue(api_open=False)
    yield page
    page.close(verbose=False)


@pytest.fixture
def style(tmp_path: Path) -> Path:
    (tmp_path / "page.css").write_text("body { color: teal; }", encoding="utf-8")
    return tmp_path / "page.css"


def test_it_listens_on_this_machine_alone(blocks, style, monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    monkeypatch.setenv("GRADIO_SHARE", "True")
    url = launch(blocks, name="look", css=style)
    assert url.startswith(f"http://{HOST}:")
    assert (blocks.server.config.host, blocks.share_url) == (HOST, None)
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert httpx.get(url, timeout=30).status_code == 200
    assert httpx.get(f"{url}gradio_api/file=x", timeout=30).text == "there is nothing here", "the gate stands before it"


def test_a_port_that_is_taken_is_said(style):
    gr = import_gradio()
    with gr.Blocks(analytics_enabled=False) as page:
        gr.Button("Look")
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=f"port {port} is taken: choose another one, or none"):
            launch(page, name="look", css=style, port=port)


def test_a_page_stays_open_so_long_or_until_ctrl_c(blocks, monkeypatch, capsys):
    closed = []
    monkeypatch.setattr(blocks, "close", lambda **_: closed.append(True))
    Server("http://here", blocks).keep_open(0)
    assert (closed, capsys.readouterr().out) == ([True], "Open http://here\n")

    def interrupted(seconds: float) -> None:
        assert seconds > 1e6
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupted)
    Server("http://here", blocks).keep_open(None)
    assert len(closed) == 2
