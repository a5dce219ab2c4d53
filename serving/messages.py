"""What may be asked over HTTP, and what comes back: the bodies of requests and answers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

UserId = Annotated[
    Annotated[StrictStr, Field(min_length=1, max_length=256)]
    | Annotated[StrictInt, Field(ge=-(2**63), lt=2**63)],
    Field(
        description="The product's own id of the user. A number means the same as its digits.",
        examples=["u-1042"],
    ),
]
Limit = Annotated[StrictInt, Field(ge=1, le=100, description="How many answers at most.")]
IncludeVisited = Annotated[
    StrictBool,
    Field(
        description="Also recommend places that the user knows. "
        "A release that was never trained on returning to a place leaves them out all the same."
    ),
]
CategoryCode = Annotated[
    Annotated[StrictStr, Field(min_length=1, max_length=256)] | None,
    Field(description="Only places of this category."),
]
DistrictCode = Annotated[
    Annotated[StrictStr, Field(min_length=1, max_length=256)] | None,
    Field(description="Only places in this district."),
]
Strategy = Literal["model", "baseline", "popular", "unknown_user", "unavailable"]

# How each field is described to somebody who got it wrong.
RIGHT = {
    "body": "a JSON object",
    "user_id": "a string of 1 to 256 characters or a whole number of at most 64 bits",
    "limit": "a whole number from 1 to 100",
    "include_visited": "true or false",
    "category_code": "a string of 1 to 256 characters, or null",
    "district_code": "a string of 1 to 256 characters, or null",
}


class Question(BaseModel):
    """What both questions share. A field that is not known is refused, so that no typo passes."""

    model_config = ConfigDict(extra="forbid")

    user_id: UserId
    limit: Limit = 10


class SimilarUsersQuestion(Question):
    """Whose taste is like this user's?"""


class RecommendPlacesQuestion(Question):
    """Where would this user like to go next?"""

    include_visited: IncludeVisited = False
    category_code: CategoryCode = None
    district_code: DistrictCode = None


class Milliseconds(BaseModel):
    """Where the time went, in milliseconds."""

    total: float = Field(description="The whole answer.")
    features: float = Field(description="Reading features from the online store.")
    model: float = Field(description="Running the model.")
    search: float = Field(description="Searching users, or ranking places.")
    filter: float = Field(description="Consent, filters, ids and reasons.")


class SharedPlaces(BaseModel):
    """Both know these places; the latest of them are named."""

    kind: Literal["shared_places"] = "shared_places"
    count: int
    place_ids: list[str]


class SharedCategories(BaseModel):
    """Both go to places of these categories; the most frequent are named."""

    kind: Literal["shared_categories"] = "shared_categories"
    count: int
    category_codes: list[str]


class VisitedBefore(BaseModel):
    """The user knows this place."""

    kind: Literal["visited_before"] = "visited_before"
    count: int


class SameCategory(BaseModel):
    """The user goes to places of these categories; the latest of those places are named."""

    kind: Literal["same_category"] = "same_category"
    category_codes: list[str]
    place_ids: list[str]


class SameDistrict(BaseModel):
    """The user goes to places in this district."""

    kind: Literal["same_district"] = "same_district"
    district_code: str
    count: int


class Popular(BaseModel):
    """Many people go there: how many events the release knows of this place."""

    kind: Literal["popular"] = "popular"
    event_count: int


UserReason = Annotated[SharedPlaces | SharedCategories, Field(discriminator="kind")]
PlaceReason = Annotated[
    VisitedBefore | SameCategory | SameDistrict | Popular, Field(discriminator="kind")
]


class SimilarUser(BaseModel):
    """A person of similar taste."""

    user_id: str = Field(description="The product's own id of that person.")
    score: float = Field(
        description="Likeness of taste less half of what is usual for that user, -1.5 to 1.5."
    )
    rank: int = Field(description="1 is best.")
    reasons: list[UserReason] = Field(description="What both have in common.")


class RecommendedPlace(BaseModel):
    """A place to go next."""

    place_id: str = Field(description="The product's own id of the place.")
    score: float = Field(description="Comparable within one answer only.")
    rank: int = Field(description="1 is best.")
    category_codes: list[str] = Field(description="All of the place; none where unknown.")
    district_code: str = Field(description="Empty where unknown.")
    reasons: list[PlaceReason] = Field(description="What links the place to the user.")


class Answer(BaseModel):
    """What both answers share: how the answer came about."""

    request_id: str = Field(description="Names this request; a fault is logged under it.")
    release_id: str = Field(description="The release that answered.")
    index_id: str = Field(description="The index of people that is live with it.")
    strategy: Strategy = Field(
        description="`model`: the release's model ranked. `baseline`: the release is a baseline, "
        "for no model was better, or none was judged yet. `popular`: nothing is known of this "
        "user, or it could not be read, so these are the most popular places. `unknown_user`: "
        "nothing is known of this user, so nobody is similar. `unavailable`: the online store "
        "could not be read, and without it nobody's consent can be checked."
    )
    degraded: bool = Field(description="Something failed, and a lower rung answered.")
    feature_age_s: float | None = Field(
        description="Seconds since the user's features last changed; null without features."
    )
    took_ms: Milliseconds


class SimilarUsersAnswer(Answer):
    """People of similar taste, most similar first."""

    users: list[SimilarUser]


class RecommendPlacesAnswer(Answer):
    """Places to go next, best first."""

    places: list[RecommendedPlace]
    hint: str | None = Field(
        description="Where there is no place to recommend: why, such as a category that no place "
        "of the release has. Else null."
    )


class Mistake(BaseModel):
    """One thing wrong with a request."""

    where: str = Field(description="The field, such as `body.limit`.")
    what: str = Field(description="What is wrong, and what would be right.")


class Problem(BaseModel):
    """A refused or failed request, as in RFC 9457."""

    type: str = Field(
        description="The code as a URN.", examples=["urn:tastemate:problem:invalid_request"]
    )
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status.")
    code: str = Field(description="Stable: programs may rely on it.", examples=["invalid_request"])
    detail: str = Field(description="What is wrong, where, and what would be right.")
    request_id: str = Field(description="Names this request; a fault is logged under it.")
    errors: list[Mistake] = []
