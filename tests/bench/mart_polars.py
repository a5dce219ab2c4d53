"""The mart of the sample city as people would write it in polars, with no more than it needs.

python -m tests.bench.mart_polars HOME OUT AS_OF

`bench-mart` measures it beside dbt's build, and checks that both give the same rows.
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

_LINE = ["landed_at", "file_id", "line_number"]
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_UTC = pl.Datetime("us", "UTC")


def build(home: Path, out: Path, as_of: datetime) -> None:
    """Make the rows of marts and features out of the archive of *home*."""
    out.mkdir(parents=True)
    lines = _lines(home)
    judged = _judged(lines).collect(engine="streaming")
    judged = _with_duplicates(judged)
    places = _with_duplicates(_places(lines).collect(engine="streaming"))
    verdicts = pl.concat([frame.select("file_id", "reason") for frame in (judged, places)])
    (
        verdicts.with_columns(pl.col("reason").fill_null("accepted").alias("verdict"))
        .group_by("file_id", "verdict")
        .agg(pl.len().alias("lines"))
        .write_parquet(out / "verdicts.parquet")
    )
    events = _events(judged, as_of)
    del judged, verdicts
    events.write_parquet(out / "events.parquet")
    ranked = _ranked(events)
    _users(ranked).write_parquet(out / "users.parquet")
    _place(places, events).write_parquet(out / "place.parquet")
    _favor(ranked, _asked(ranked, events)).write_parquet(out / "user_favor.parquet")


def _lines(home: Path) -> pl.LazyFrame:
    files = pl.scan_parquet(home / "raw/files.parquet").select(
        "file_id", "landed_at", "is_backfill"
    )
    lines = pl.scan_parquet(home / "raw/lines/**/*.parquet", hive_partitioning=True)
    return lines.join(files, on="file_id").with_columns(pl.col("doc").hash().alias("doc_hash"))


def _field(name: str) -> pl.Expr:
    return pl.col("doc").str.json_path_match(f"$.{name}")


def _text(value: pl.Expr) -> pl.Expr:
    """Take a value out of MongoDB's Extended JSON; NULL for an empty text."""
    inner = value.str.extract(r'"\$(?:oid|date|numberLong|numberDouble)":"([^"]*)"')
    plain = pl.when(value.str.starts_with("{")).then(inner).otherwise(value).str.strip_chars()
    return pl.when(plain != "").then(plain)


def _moment(text: pl.Expr) -> pl.Expr:
    number = text.cast(pl.Int64, strict=False)
    microseconds = number * pl.when(number.abs() < 10**11).then(10**6).otherwise(10**3)
    iso = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", strict=False)
    return pl.coalesce(microseconds.cast(pl.Datetime("us")), iso).dt.replace_time_zone("UTC")


def _valued(
    lines: pl.LazyFrame, kind: str, place: str, time: str, **others: pl.Expr
) -> pl.LazyFrame:
    return lines.filter(pl.col("kind") == kind).select(
        *_LINE, "kind", "user_id", "landing_reason", "is_backfill", "doc_hash",
        _text(_field("_id")).alias("own_id"),
        _text(_field(place)).alias("place_id"),
        _text(_field(time)).alias("time_text"),
        _text(_field("is_discoverable")).replace_strict(
            {"true": True, "false": False}, default=None, return_dtype=pl.Boolean
        ).alias("is_discoverable"),
        **others,
    )  # fmt: skip


def _judged(lines: pl.LazyFrame) -> pl.LazyFrame:
    # Each field costs one more parse of the document, so that a kind is asked only for its own.
    nothing = pl.lit(None, dtype=pl.String)
    display, rating = _text(_field("display_id")), _text(_field("rating"))
    likes = _valued(
        lines, "likes", "contents_id", "like_time", display_id=display, rating_text=nothing
    )
    reviews = _valued(
        lines, "reviews", "place_id", "visited_date", display_id=nothing, rating_text=rating
    )
    valued = pl.concat([likes, reviews]).with_columns(
        _moment(pl.col("time_text")).alias("event_at"),
        pl.col("rating_text").cast(pl.Float64, strict=False).alias("rating"),
    )
    at, rating = pl.col("event_at"), pl.col("rating")
    is_rated = pl.col("rating_text").is_not_null()
    return valued.with_columns(
        pl.when(pl.col("place_id").is_null()).then(pl.lit("no_place"))
        .when(pl.col("time_text").is_null()).then(pl.lit("no_time"))
        .when(at.is_null()).then(pl.lit("bad_time"))
        .when(at < _EARLIEST).then(pl.lit("before_2000"))
        .when(at > pl.col("landed_at") + pl.duration(days=1)).then(pl.lit("in_future"))
        .when(is_rated & ~rating.is_between(0, 5).fill_null(value=False)).then(pl.lit("bad_rating"))
        .alias("value_reason")
    )  # fmt: skip


def _places(lines: pl.LazyFrame) -> pl.LazyFrame:
    codes = _field("category_codes").str.strip_chars('[]"').str.replace_all('"', "")
    return lines.filter(pl.col("kind") == "places").select(
        *_LINE, "kind", "landing_reason", "doc_hash",
        _text(_field("_id")).alias("place_id"),
        codes.str.split(",").list.eval(pl.element().str.strip_chars()).alias("category_codes"),
        pl.coalesce(_text(_field("district_code")), "district_code").alias("district_code"),
        _text(_field("location.lat")).cast(pl.Float64, strict=False).alias("latitude"),
        _text(_field("location.lng")).cast(pl.Float64, strict=False).alias("longitude"),
    ).with_columns(
        pl.when(pl.col("place_id").is_null()).then(pl.lit("no_place")).alias("value_reason")
    )  # fmt: skip


def _with_duplicates(lines: pl.DataFrame) -> pl.DataFrame:
    first = pl.struct("kind", "doc_hash").is_first_distinct()
    return lines.sort(_LINE).with_columns(
        pl.coalesce(
            "landing_reason", pl.when(~first).then(pl.lit("duplicate")), "value_reason"
        ).alias("reason")
    )


def _events(judged: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    own, kind = pl.col("own_id"), pl.col("kind")
    return (
        judged.filter(pl.col("reason").is_null())
        .select(
            *_LINE, "user_id", "place_id", "event_at", "rating", "display_id", "is_discoverable",
            pl.when(own.str.contains("^[0-9a-f]{24}$")).then(own)
            .otherwise(pl.concat_str(pl.lit("sample"), kind, own, separator=":")).alias("event_id"),
            pl.when(kind == "likes").then(pl.lit("like")).otherwise(pl.lit("review"))
            .alias("event_kind"),
            pl.when("is_backfill").then("event_at").otherwise("landed_at").alias("known_at"),
        )
        .filter(pl.col("known_at") <= as_of)
        .sort("known_at", *_LINE)
        .unique("event_id", keep="last")
        .drop(_LINE)
    )  # fmt: skip


def _ranked(events: pl.DataFrame) -> pl.DataFrame:
    """Number each user's events; of a bulk load, what happened first was known first."""
    return (
        events.sort("user_id", "event_at", "event_id")
        .with_columns(
            pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("user_id").alias("nth"),
            pl.col("is_discoverable").forward_fill().over("user_id").fill_null(value=True)
            .alias("was_discoverable"),
        )
        .with_columns(pl.col("nth").max().over("user_id", "event_at").alias("known_nth"))
    )  # fmt: skip


def _users(ranked: pl.DataFrame) -> pl.DataFrame:
    kind = pl.col("event_kind")
    return ranked.group_by("user_id").agg(
        pl.col("was_discoverable").last().alias("is_discoverable"),
        pl.col("event_at").min().alias("first_event_at"),
        pl.col("event_at").max().alias("last_event_at"),
        pl.len().cast(pl.Int64).alias("event_count"),
        (kind == "like").sum().cast(pl.Int64).alias("like_count"),
        (kind == "review").sum().cast(pl.Int64).alias("review_count"),
    )


def _place(places: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    told = places.filter(pl.col("reason").is_null()).sort(_LINE).unique("place_id", keep="last")
    visited = events.group_by("place_id").agg(pl.len().cast(pl.Int64).alias("event_count"))
    return told.join(visited, on="place_id", how="full", coalesce=True).select(
        "place_id",
        pl.col("category_codes").fill_null([]),
        pl.col("district_code").fill_null(""),
        "latitude",
        "longitude",
        pl.col("event_count").fill_null(0),
    )


def _asked(ranked: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """List the moments for which a row is kept: now, the cut, and each 200th event."""
    cut = events["event_at"].sort()[events.height * 9 // 10]
    last = pl.col("nth").max().alias("asked_nth")
    return pl.concat(
        [
            ranked.group_by("user_id").agg(last),
            ranked.filter(pl.col("event_at") < cut).group_by("user_id").agg(last),
            ranked.filter(pl.col("nth") % 200 == 0).select(
                "user_id", pl.col("known_nth").alias("asked_nth")
            ),
        ]
    ).unique()


def _favor(ranked: pl.DataFrame, asked: pl.DataFrame) -> pl.DataFrame:
    every = asked.join(ranked, on="user_id").filter(pl.col("nth") <= pl.col("asked_nth"))
    key = ["user_id", "asked_nth"]
    top = (
        every.filter((pl.col("event_kind") == "like") & pl.col("display_id").is_not_null())
        .group_by(*key, "display_id")
        .agg(pl.len().cast(pl.Int64).alias("like_count"))
        .sort("like_count", "display_id", descending=[True, False])
        .group_by(key, maintain_order=True)
        .agg(
            pl.col("display_id").head(20).alias("like_stat_display_ids"),
            pl.col("like_count").head(20).alias("like_stat_counts"),
        )
    )
    newest = every.filter(pl.col("nth") > pl.col("asked_nth") - 200).sort("user_id", "nth")
    return (
        newest.group_by(key, maintain_order=True)
        .agg(
            pl.col("known_at").max(),
            pl.col("place_id").alias("event_place_ids"),
            pl.col("event_kind").alias("event_kinds"),
            pl.col("event_at").dt.epoch("us").alias("event_ats"),
            pl.col("rating").fill_null(-1).alias("event_ratings"),
            pl.col("event_id").alias("event_ids"),
            pl.col("was_discoverable").last().alias("is_discoverable"),
        )
        .join(top, on=key, how="left")
        .with_columns(
            pl.col("like_stat_display_ids").fill_null([]), pl.col("like_stat_counts").fill_null([])
        )
        .drop("asked_nth")
    )


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]), datetime.fromisoformat(sys.argv[3]).astimezone(UTC))
