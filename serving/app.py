"""The endpoint's own ASGI app: `/v1` and its OpenAPI, the same alone and inside the bento."""

import re
import uuid
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import problems
from serving.messages import (
    Problem,
    RecommendPlacesAnswer,
    RecommendPlacesQuestion,
    SimilarUsersAnswer,
    SimilarUsersQuestion,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.answers import Answers

MAX_BODY = 256 * 1024
REQUEST_ID = "X-Request-Id"
_OWN_CONTENT_ONLY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
_GOOD_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def make_app(answers: "Callable[[], Answers]") -> FastAPI:
    """Make the app; *answers* gives what is live at the moment of a request."""
    app = FastAPI(
        title="Tastemate",
        version="1",
        summary="People of similar taste, and the places they would like next.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        # A question is answered where it was asked, never by a redirect.
        redirect_slashes=False,
    )
    problems.install(app)

    @app.post("/v1/similar-users", responses=problems.documented())
    def similar_users(question: SimilarUsersQuestion, request: Request) -> SimilarUsersAnswer:
        """Find people of similar taste who agreed to be shown."""
        return answers().similar_users(question, request.state.request_id)

    @app.post("/v1/recommend-places", responses=problems.documented())
    def recommend_places(
        question: RecommendPlacesQuestion, request: Request
    ) -> RecommendPlacesAnswer:
        """Recommend places to go next."""
        return answers().recommend_places(question, request.state.request_id)

    _document_problems(app)
    app.add_middleware(Doorkeeper)
    return app


class Doorkeeper:
    """Gives each request its id, and refuses a body that is too large or is no JSON.

    Neither FastAPI nor BentoML bounds a body: each would read whatever is sent. BentoML's page
    at `/` asks for a tracking script from elsewhere, which the answer's policy forbids.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = scope.setdefault("state", {}).setdefault("request_id", _request_id(headers))

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                sent[REQUEST_ID] = request_id
                sent["Content-Security-Policy"] = _OWN_CONTENT_ONLY
            await send(message)

        try:
            _judge(scope, headers)
            body = await _read(receive)
        except problems.RefusalError as refusal:
            answer = problems.problem(request_id, refusal.status, refusal.detail)
            await answer(scope, receive, send_with_id)
            return
        await self.app(scope, _replay(body, receive), send_with_id)


def _request_id(headers: Headers) -> str:
    offered = headers.get(REQUEST_ID, "")
    return offered if _GOOD_REQUEST_ID.fullmatch(offered) else uuid.uuid4().hex


def _judge(scope: Scope, headers: Headers) -> None:
    """Refuse what its head alone condemns."""
    if scope["method"] != "POST":
        return
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length) > MAX_BODY:
        raise problems.RefusalError(413, _TOO_LARGE)
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise problems.RefusalError(
            415,
            f"header Content-Type: {media_type[:60] or 'absent'!r} is not understood. "
            "Send application/json.",
        )

    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise problems.RefusalError(
            415,
            f"header Content-Encoding: {coding[:60]!r} is not understood. Send the body unpacked.",
        )


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise problems.RefusalError(413, _TOO_LARGE)
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    unread = [body]

    async def replayed() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await receive()

    return replayed


_TOO_LARGE = f"body: is over {MAX_BODY} bytes. A question needs no more than a few hundred."


def _document_problems(app: FastAPI) -> None:
    """Put the problem's schema into the OpenAPI document, and FastAPI's own error out of it."""
    described = app.openapi

    def openapi() -> dict[str, object]:
        document = described()
        schemas = document["components"]["schemas"]
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        if "Problem" not in schemas:
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= problem.pop("$defs", {})
            schemas["Problem"] = problem
        return document

    app.openapi = openapi  # type: ignore[method-assign]
