"""The BentoML service `tastemate`: the ASGI app under `/v1`, and thin doors to the same answers.

Packaged, it serves the release that its bento carries. From source, for development,
it serves the champion: `bentoml serve serving.service:Tastemate`.
"""

from pathlib import Path

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from serving import champion
from serving.app import Doorkeeper, make_app
from serving.home import Home
from serving.live import Live
from serving.messages import (
    CategoryCode,
    DistrictCode,
    IncludeVisited,
    Limit,
    RecommendPlacesAnswer,
    RecommendPlacesQuestion,
    SimilarUsersAnswer,
    SimilarUsersQuestion,
    UserId,
)
from serving.servers import announce

NAME = "tastemate"
# What BentoML calls the version of a service that no bento carries.
FROM_SOURCE = "not available"
LIVE = Live()


class Unmounted:
    """Gives the app the whole path again, of which BentoML's mounting takes the prefix away."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app({**scope, "root_path": scope.get("app_root_path", "")}, receive, send)


@bentoml.asgi_app(Unmounted(make_app(LIVE.answers)), path="/v1", name="v1")
@bentoml.service(
    name=NAME,
    # The computer's own address: whoever opens it to others puts a proxy before it.
    http={"host": "127.0.0.1", "port": 3000},
    workers=1,
    threads=8,
    traffic={"timeout": 10},
)
class Tastemate:
    """People of similar taste, and the places they would like next."""

    def __init__(self) -> None:
        home = Home.find()
        release_id = bentoml.server_context.bento_version
        if release_id == FROM_SOURCE:
            release_id = champion.read(home).release_id
            folder = home.releases / release_id
        else:
            folder = Path(bentoml.models.get(f"{NAME}:{release_id}").path_of("release"))
        LIVE.open(home, folder, release_id)
        announce(home, release_id)

    def __is_ready__(self) -> bool:
        return LIVE.is_open

    @bentoml.api
    def similar_users(
        self,
        ctx: bentoml.Context,
        user_id: UserId,
        limit: Limit = 10,
    ) -> SimilarUsersAnswer:
        """Find people of similar taste who agreed to be shown."""
        question = SimilarUsersQuestion(user_id=user_id, limit=limit)
        return LIVE.answers().similar_users(question, ctx.request.state.request_id)

    @bentoml.api
    def recommend_places(  # noqa: PLR0913, PLR0917 -- one for each field of the question
        self,
        ctx: bentoml.Context,
        user_id: UserId,
        limit: Limit = 10,
        include_visited: IncludeVisited = False,  # noqa: FBT002 -- clients call it by name
        category_code: CategoryCode = None,
        district_code: DistrictCode = None,
    ) -> RecommendPlacesAnswer:
        """Recommend places to go next."""
        question = RecommendPlacesQuestion(
            user_id=user_id,
            limit=limit,
            include_visited=include_visited,
            category_code=category_code,
            district_code=district_code,
        )
        return LIVE.answers().recommend_places(question, ctx.request.state.request_id)


Tastemate.add_asgi_middleware(Doorkeeper)  # type: ignore[attr-defined]
