"""What of the web reaches the page: requests of this machine, by the page itself or a program, to what the page needs.

Another web site cannot use a browser on this machine to talk to the page: its name in `Host` (a name that was made to
point here) or in `Origin` gives it away. gradio's own routes for uploads, files, proxies and the rest are closed.
"""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost")
API = "/gradio_api/"
# What the page asks for, by the beginning of the path, and what may be sent to it, by the whole path.
READ = (*("/static/", "/assets/", "/svelte/"), *(API + name for name in ("heartbeat/", "call/write/")))
READ_WHOLE = {
    *("/", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt"),
    *(API + name for name in ("info", "startup-events", "app_id", "queue/data", "queue/status", "theme.css")),
}
SENT = {API + name for name in ("queue/join", "call/write", "cancel", "reset")}
MOST_BYTES = 64_000  # of a request: the longest prompt needs less, however it is written


class Gate:
    """Stands before a web application, and refuses what it does not let pass with a sentence."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if refusal := self._refusal(scope):
            await PlainTextResponse(refusal[1], refusal[0])(scope, receive, send)
            return
        body = await self._read(receive)
        if body is None:
            await PlainTextResponse(f"a request has at most {MOST_BYTES:,} bytes", 413)(scope, receive, send)
            return
        given: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def first_the_body() -> Message:
            return given.pop() if given else await receive()

        await self.app(scope, first_the_body, send)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Return status and reason for a request that is not let through."""
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if scope["type"] != "http":
            return 403, "there is nothing but pages here"
        if host.partition(":")[0] not in HOSTS:
            return 403, f"this page is for {' or '.join(HOSTS)}"
        if origin is not None and origin != f"http://{host}":
            return 403, "this page answers to no other"
        path, method = scope["path"], scope["method"]
        if method in ("GET", "HEAD") and (path in READ_WHOLE or path.startswith(READ)):
            return None
        if method == "POST" and path in SENT:
            return None
        return 404, "there is nothing here"

    async def _read(self, receive: Receive) -> bytes | None:
        """Return the body of a request, or None as soon as it is too long."""
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)  # of one that hangs up, too
            if len(body) > MOST_BYTES:
                return None
        return body
