"""What of the web reaches a page."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from shared.web.gate import MOST_BYTES, Gate


async def answer(request: Request) -> PlainTextResponse:
    """Say how long a request was: an application that takes everything."""
    return PlainTextResponse(f"{len(await request.body())} bytes")


def client(uploads: int = 0) -> httpx.AsyncClient:
    """Return a browser on this machine, before a page whose function is called `look`."""
    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST", "PUT"])])
    transport = httpx.ASGITransport(Gate(app, name="look", uploads=uploads))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:7860")


async def status(method: str, path: str, uploads: int = 0, **options) -> int:
    async with client(uploads) as browser:
        return (await browser.request(method, path, **options)).status_code


def run(coroutine):
    """Run one question; a coroutine that awaits nothing outside needs no more than this machine's loop."""
    import asyncio

    return asyncio.run(coroutine)


@pytest.mark.parametrize(
    ("method", "path", "headers", "expected"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/", {"host": "localhost:1"}, 200),
        ("GET", "/", {"host": "kitchen.example"}, 403),
        ("GET", "/", {"origin": "http://127.0.0.1:7860"}, 200),
        ("GET", "/", {"origin": "http://kitchen.example"}, 403),
        ("POST", "/gradio_api/call/look", {}, 200),
        ("GET", "/gradio_api/call/look/7", {}, 200),
        ("POST", "/gradio_api/call/write", {}, 404),
        ("POST", "/gradio_api/queue/join", {"origin": "null"}, 403),
        ("GET", "/gradio_api/file=/etc/hostname", {}, 404),
        ("PUT", "/config", {}, 404),
        ("POST", "/gradio_api/upload", {}, 404),
        ("GET", "/gradio_api/upload_progress", {}, 404),
    ],
)
def test_only_what_the_page_needs_comes_in(method: str, path: str, headers: dict[str, str], expected: int):
    assert run(status(method, path, headers=headers)) == expected


def test_a_page_that_asks_for_files_gets_them_up_to_a_size():
    assert run(status("POST", "/gradio_api/upload", 1000, content=b"x" * (MOST_BYTES + 1000))) == 200
    assert run(status("GET", "/gradio_api/upload_progress", 1000)) == 200
    assert run(status("POST", "/gradio_api/upload", 1000, content=b"x" * (MOST_BYTES + 1001))) == 413
    assert run(status("POST", "/gradio_api/queue/join", 1000, content=b"x" * (MOST_BYTES + 1))) == 413
    assert run(status("POST", "/gradio_api/queue/join", content=b"x" * MOST_BYTES)) == 200


def test_a_refusal_is_a_sentence():
    async def text() -> str:
        async with client() as browser:
            return (await browser.get("/", headers={"host": "kitchen.example"})).text

    assert run(text()) == "this page is for 127.0.0.1 or localhost"
