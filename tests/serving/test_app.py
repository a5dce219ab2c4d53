"""What the app does before anything is asked of the model: judging requests."""

import gzip
import json

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.app import MAX_BODY, make_app
from serving.live import Live

QUESTIONS = ("/v1/similar-users", "/v1/recommend-places")
GOOD = {"user_id": "u1", "limit": 10}


@pytest.fixture(scope="module")
def client() -> TestClient:
    """An app whose release is not loaded: what passes the door is answered "not ready"."""
    return TestClient(make_app(Live().answers), raise_server_exceptions=False)


def problem_of(response) -> dict:
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["type"].endswith(body["code"])
    assert body["request_id"] == response.headers["x-request-id"]
    return dict(body)


@pytest.mark.parametrize("path", QUESTIONS)
@pytest.mark.parametrize(
    "user_id", ["u1", 7, -1, "0", "é", " ", "x" * 256, 2**63 - 1, "\U0001f600", "\u0000"]
)
def test_a_good_question_passes_the_door(client: TestClient, path: str, user_id: object) -> None:
    problem = problem_of(client.post(path, json={"user_id": user_id}))
    assert (problem["status"], problem["code"]) == (503, "not_ready")


@pytest.mark.parametrize("path", QUESTIONS)
@pytest.mark.parametrize(
    ("body", "where", "what"),
    [
        ({}, "body.user_id", "is missing"),
        ({"user_id": ""}, "body.user_id", "is ''"),
        ({"user_id": "x" * 257}, "body.user_id", "1 to 256 characters"),
        ({"user_id": None}, "body.user_id", "is None"),
        ({"user_id": True}, "body.user_id", "is True"),
        ({"user_id": 1.5}, "body.user_id", "is 1.5"),
        ({"user_id": 2**63}, "body.user_id", "64 bits"),
        ({"user_id": ["u1"]}, "body.user_id", "is ['u1']"),
        ({"user_id": {"$oid": "u1"}}, "body.user_id", "$oid"),
        ({"user_id": "u1", "limit": 0}, "body.limit", "from 1 to 100"),
        ({"user_id": "u1", "limit": 101}, "body.limit", "is 101"),
        ({"user_id": "u1", "limit": "10"}, "body.limit", "is '10'"),
        ({"user_id": "u1", "limit": 2.0}, "body.limit", "is 2.0"),
        ({"user_id": "u1", "limit": None}, "body.limit", "is None"),
        ({"user_id": "u1", "limits": 5}, "body.limits", "is no field"),
        ([], "body", "a JSON object"),
        ("u1", "body", "a JSON object"),
        (None, "body", "a JSON object"),
    ],
)
def test_a_bad_question_is_told_what_is_wrong_and_where(
    client: TestClient, path: str, body: object, where: str, what: str
) -> None:
    headers = {"content-type": "application/json"}
    problem = problem_of(client.post(path, content=json.dumps(body), headers=headers))
    assert (problem["status"], problem["code"]) == (422, "invalid_request")
    assert [mistake["where"] for mistake in problem["errors"]] == [where]
    assert what in problem["errors"][0]["what"]
    assert what in problem["detail"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("include_visited", "yes"),
        ("include_visited", 1),
        ("category_code", ""),
        ("district_code", 7),
    ],
)
def test_filters_of_places_are_judged_as_strictly(
    client: TestClient, field: str, value: object
) -> None:
    body = {"user_id": "u1", field: value}
    problem = problem_of(client.post("/v1/recommend-places", json=body))
    assert [mistake["where"] for mistake in problem["errors"]] == [f"body.{field}"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"user_id": }',
        b"\xff\xfe\x00",
        b"[" * 20_000,
        b'{"user_id": ' + b"9" * 5000 + b"}",
        b'{"user_id": "u1"} trailing',
    ],
)
def test_a_body_that_is_no_json_is_refused(client: TestClient, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    problem = problem_of(client.post(QUESTIONS[0], content=body, headers=headers))
    assert problem["status"] in {400, 422}
    assert "body" in problem["detail"]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", '"\\ud800"'])
def test_values_that_json_only_half_allows_are_refused(client: TestClient, value: str) -> None:
    headers = {"content-type": "application/json"}
    content = f'{{"user_id": {value}}}'
    problem = problem_of(client.post(QUESTIONS[0], content=content, headers=headers))
    assert problem["code"] == "invalid_request"


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_refused(client: TestClient, media_type: str) -> None:
    response = client.post(
        QUESTIONS[0], content=json.dumps(GOOD), headers={"content-type": media_type}
    )
    problem = problem_of(response)
    assert (problem["status"], problem["code"]) == (415, "unsupported_media_type")
    assert "application/json" in problem["detail"]


def test_a_packed_body_is_refused_by_what_it_is(client: TestClient) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    packed = gzip.compress(json.dumps(GOOD).encode())
    problem = problem_of(client.post(QUESTIONS[0], content=packed, headers=headers))
    assert (problem["status"], problem["code"]) == (415, "unsupported_media_type")
    assert "Content-Encoding: 'gzip'" in problem["detail"]


def test_a_content_type_may_name_its_charset(client: TestClient) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    assert client.post(QUESTIONS[0], content=json.dumps(GOOD), headers=headers).status_code == 503


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/similar-users/", "/v1/", "/nothing"])
def test_an_unknown_path_is_not_found(client: TestClient, path: str) -> None:
    problem = problem_of(client.post(path, json=GOOD))
    assert (problem["status"], problem["code"]) == (404, "not_found")
    assert path in problem["detail"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_not_allowed(client: TestClient, method: str) -> None:
    response = client.request(method, QUESTIONS[0])
    problem = problem_of(response)
    assert (problem["status"], problem["code"]) == (405, "method_not_allowed")
    assert response.headers["allow"] == "POST"


def test_a_body_that_is_too_large_is_refused(client: TestClient) -> None:
    content = b'{"user_id": "' + b"x" * MAX_BODY + b'"}'
    headers = {"content-type": "application/json"}
    problem = problem_of(client.post(QUESTIONS[0], content=content, headers=headers))
    assert (problem["status"], problem["code"]) == (413, "body_too_large")


def test_a_body_without_a_length_is_refused_once_it_is_too_large(client: TestClient) -> None:
    sent = []

    def endless():
        for _ in range(1000):
            sent.append(1)
            yield b" " * 1024

    headers = {"content-type": "application/json"}
    problem = problem_of(client.post(QUESTIONS[0], content=endless(), headers=headers))
    assert problem["code"] == "body_too_large"


@pytest.mark.parametrize("given_id", ["abc-1.2_3", "x" * 128])
def test_a_request_keeps_the_id_it_came_with(client: TestClient, given_id: str) -> None:
    response = client.post(QUESTIONS[0], json={}, headers={"x-request-id": given_id})
    assert problem_of(response)["request_id"] == given_id


@pytest.mark.parametrize("given_id", ["", "a b", "x" * 129, "<script>"])
def test_a_request_id_that_is_none_is_replaced(client: TestClient, given_id: str) -> None:
    response = client.post(QUESTIONS[0], json={}, headers={"x-request-id": given_id})
    assert len(problem_of(response)["request_id"]) == 32


def test_an_unexpected_failure_is_a_problem_too() -> None:
    def broken() -> None:
        raise ZeroDivisionError

    client = TestClient(make_app(broken), raise_server_exceptions=False)
    problem = problem_of(client.post(QUESTIONS[0], json=GOOD))
    assert (problem["status"], problem["code"]) == (500, "internal")
    assert "ZeroDivision" not in problem["detail"]


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=200))
def test_no_bytes_make_the_app_fail(client: TestClient, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    response = client.post(QUESTIONS[0], content=content, headers=headers)
    assert response.status_code in {400, 422, 503}
    problem_of(response)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("user_id", "limit", "include_visited", "category_code", "district_code", "other")


@settings(max_examples=200, deadline=None)
@given(body=JSON | st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5))
def test_no_json_makes_the_app_fail(client: TestClient, body: object) -> None:
    headers = {"content-type": "application/json"}
    response = client.post(QUESTIONS[1], content=json.dumps(body), headers=headers)
    assert response.status_code in {422, 503}
    problem_of(response)


def test_openapi_describes_questions_answers_and_problems(client: TestClient) -> None:
    document = client.get("/v1/openapi.json").json()
    assert set(document["paths"]) == set(QUESTIONS)
    for path in QUESTIONS:
        responses = document["paths"][path]["post"]["responses"]
        assert {"200", "400", "413", "415", "422", "500", "503"} <= set(responses)
        for status, response in responses.items():
            if status != "200":
                assert list(response["content"]) == ["application/problem+json"]
    schemas = document["components"]["schemas"]
    assert "HTTPValidationError" not in schemas
    references = set(json.dumps(document).split('"#/components/schemas/')[1:])
    assert {reference.split('"')[0] for reference in references} <= set(schemas)
