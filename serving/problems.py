"""Refusals over HTTP: RFC 9457 problem bodies, each with a code that programs may rely on."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException

from serving.messages import RIGHT, Mistake, Problem

MEDIA_TYPE = "application/problem+json"
LOG = logging.getLogger("bentoml.tastemate")

CODES = {
    400: "malformed_json",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid_request",
    500: "internal",
    503: "not_ready",
}


class RefusalError(Exception):
    """A request is refused; *detail* tells the client what is wrong and what would be right."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def problem(
    request_id: str,
    status: int,
    detail: str,
    errors: list[Mistake] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Write a problem as an answer."""
    code = CODES.get(status, HTTPStatus(status).phrase.lower().replace(" ", "_"))
    body = Problem(
        type=f"urn:tastemate:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        code=code,
        detail=detail,
        request_id=request_id,
        errors=errors or [],
    )
    return JSONResponse(
        body.model_dump(), status_code=status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def documented() -> dict[int | str, dict[str, Any]]:
    """Describe the problems of a question for OpenAPI."""
    statuses = (400, 413, 415, 422, 500, 503)
    return {
        status: {
            "description": f"{HTTPStatus(status).phrase} (`{CODES[status]}`)",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Let *app* answer every error with a problem."""
    app.add_exception_handler(RefusalError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RefusalError)  # noqa: S101 -- registered for this class alone
    return problem(request.state.request_id, error.status, error.detail)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 -- as above
    found = error.errors()
    for entry in found:
        if entry["type"] == "json_invalid":
            return problem(
                request.state.request_id,
                400,
                f"body, character {entry['loc'][-1]}: no JSON: {entry['ctx']['error']}. {_EXAMPLE}",
            )
    # A field of two types fails once for each; it is one mistake all the same.
    mistakes = {mistake.where: mistake for mistake in map(_mistake, found)}
    detail = "; ".join(f"{mistake.where} {mistake.what}" for mistake in mistakes.values())
    return problem(request.state.request_id, 422, f"{detail}. {_EXAMPLE}", list(mistakes.values()))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 -- as above
    details = {
        400: f"body: not JSON that can be read. {_EXAMPLE}",
        404: f"{request.url.path}: there is nothing here. "
        "Ask POST /v1/similar-users or POST /v1/recommend-places; "
        "GET /v1/openapi.json describes them.",
        405: f"{request.url.path}: {request.method} is not answered here. "
        f"Use {(error.headers or {}).get('Allow', 'POST')}.",
    }
    return problem(
        request.state.request_id,
        error.status_code,
        details.get(error.status_code, str(error.detail)),
        headers=error.headers,
    )


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    request_id = request.state.request_id
    LOG.error("request %s failed", request_id, exc_info=error)
    return problem(
        request_id,
        500,
        f"{request.url.path}: the service failed to answer. "
        f"Its log tells why, under the request id {request_id}.",
        headers={"X-Request-Id": request_id},
    )


_EXAMPLE = 'Send a body such as {"user_id": "u-1042", "limit": 10}'


_SHOWN = 60


def _mistake(entry: ErrorDetails) -> Mistake:
    # A body is flat; what follows the field is only pydantic's way through its types.
    where = ".".join(str(part) for part in entry["loc"][:2])
    if entry["type"] == "extra_forbidden":
        return Mistake(where=where[:_SHOWN], what="is no field of this question")
    right = RIGHT[where.rpartition(".")[2]]
    if entry["type"] == "missing":
        return Mistake(where=where, what=f"is missing; it must be {right}")
    # ascii(): a value may hold half a surrogate pair, which no answer could carry.
    value = ascii(entry.get("input"))
    shown = value if len(value) <= _SHOWN else value[: _SHOWN - 3] + "..."
    return Mistake(where=where, what=f"is {shown}; it must be {right}")
