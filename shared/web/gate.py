"""What of the web reaches a page: requests of this machine, by the page itself or a program, to what the page needs.

Another web site cannot use a browser on this machine to talk to the page: its name in `Host` (a name that was made to
point here) or in `Origin` gives it away. gradio's own routes for uploads, files, proxies and the rest are closed, but
for uploads to a page that asks for files.
"""

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost")
API = "/gradio_api/"
UPLOAD = f"{API}upload"
# What a page asks for, by the beginning of the path, and by the whole path.
READ = ("/static/", "/assets/", "/svelte/", f"{API}heartbeat/")
READ_WHOLE = {
    *("/", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt"),
    *(API + name for name in ("info", "startup-events", "app_id", "queue/data", "queue/status", "theme.css")),
}
SENT = {API + name for name in ("queue/join", "cancel", "reset")}
MOST_BYTES = 64_000  # of a request that is no upload: the longest prompt needs less, however it is written


class Gate:
    """Stands before a web application, and refuses what it does not let pass with a sentence.

    Args:
        app: the web application.
        name: of the one function of the page that a program may call.
        uploads: bytes of a file that may be sent (0: none is taken).
    """

    def __init__(self, app: ASGIApp, name: str = "write", uploads: int = 0) -> None:
        self.app, self.uploads = app, uploads
        self.read = (*READ, f"{API}call/{name}/")
        self.sent = {*SENT, f"{API}call/{name}"}
        if uploads:
            self.read, self.sent = (*self.read, f"{UPLOAD}_progress"), {*self.sent, UPLOAD}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if refusal := self._refusal(scope):
            await PlainTextResponse(refusal[1], refusal[0])(scope, receive, send)
            return
        most = MOST_BYTES + (self.uploads if scope["path"] == UPLOAD else 0)
        body = await self._read(receive, most)
        if body is None:
            await PlainTextResponse(f"a request has at most {most:,} bytes", 413)(scope, receive, send)
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
        if method in ("GET", "HEAD") and (path in READ_WHOLE or path.startswith(self.read)):
            return None
        if method == "POST" and path in self.sent:
            return None
        return 404, "there is nothing here"

    async def _read(self, receive: Receive, most: int) -> bytes | None:
        """Return the body of a request, or None as soon as it is too long."""
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)  # of one that hangs up, too
            if len(body) > most:
                return None
        return body
