-- The mart of the sample city as one who knows its documents would write it by hand, for speed:
-- no layers, no tests, no column that nobody downstream reads. `bench-mart` measures dbt's build
-- against it, and checks that both give the same rows.
--   $lines   the archive's Parquet files       $files   the ledger's export
--   $as_of   the moment of the build           $out     the folder to write to

create macro unwrapped(value) as nullif(trim(if(
    value[1] = '{',
    coalesce(
        value ->> '$."$oid"', value ->> '$."$date"."$numberLong"', value ->> '$."$date"',
        value ->> '$."$numberLong"', value ->> '$."$numberDouble"'
    ),
    value
)), '');

create macro moment(value) as if(
    try_cast(value as bigint) is not null,
    make_timestamptz(
        value::bigint * case when abs(value::bigint) < 1e11 then 1000000 else 1000 end
    ),
    try_cast(value as timestamptz)
);

create temp table documents as
select
    lines.file_id, lines.line_number, lines.kind, lines.user_id, lines.district_code,
    lines.landing_reason, files.landed_at, files.is_backfill,
    json_transform(lines.doc, '{
        "_id": "VARCHAR", "contents_id": "VARCHAR", "place_id": "VARCHAR", "display_id": "VARCHAR",
        "like_time": "VARCHAR", "visited_date": "VARCHAR", "rating": "VARCHAR",
        "is_discoverable": "VARCHAR", "category_codes": "VARCHAR", "district_code": "VARCHAR",
        "location": {"lat": "VARCHAR", "lng": "VARCHAR"}
    }') as doc,
    hash(lines.doc) as doc_hash
from read_parquet($lines, hive_partitioning = true) as lines
inner join read_parquet($files) as files using (file_id);

create temp table repeated as
select file_id, line_number
from documents
where doc_hash in (
    select doc_hash from documents where doc is not null group by kind, doc_hash having count(*) > 1
)
qualify row_number() over (
    partition by kind, doc_hash order by landed_at, file_id, line_number
) > 1;

create temp table judged as
with valued as (
    select
        documents.* exclude (doc),
        unwrapped(doc._id) as own_id,
        unwrapped(coalesce(doc.contents_id, doc.place_id)) as place_id,
        unwrapped(doc.display_id) as display_id,
        unwrapped(coalesce(doc.like_time, doc.visited_date)) as time_text,
        moment(time_text) as event_at,
        unwrapped(doc.rating) as rating_text,
        try_cast(rating_text as double) as rating,
        unwrapped(doc.is_discoverable)::boolean as is_discoverable
    from documents
    where kind != 'places'
)
select
    *,
    case
        when landing_reason is not null then landing_reason
        when (file_id, line_number) in (from repeated) then 'duplicate'
        when place_id is null then 'no_place'
        when time_text is null then 'no_time'
        when event_at is null then 'bad_time'
        when event_at < timestamptz '2000-01-01 00:00:00+00' then 'before_2000'
        when event_at > landed_at + interval 1 day then 'in_future'
        when rating_text is not null and coalesce(rating not between 0 and 5, true)
            then 'bad_rating'
    end as reason
from valued;

create temp table places as
with valued as (
    select
        documents.* exclude (doc, district_code),
        unwrapped(doc._id) as place_id,
        if(
            doc.category_codes[1] = '[',
            from_json(if(doc.category_codes[1] = '[', doc.category_codes, '[]'), '["VARCHAR"]'),
            string_split(coalesce(doc.category_codes, ''), ',')
        ) as codes,
        coalesce(unwrapped(doc.district_code), district_code) as district_code,
        try_cast(unwrapped(doc.location.lat) as double) as latitude,
        try_cast(unwrapped(doc.location.lng) as double) as longitude
    from documents
    where kind = 'places'
)
select
    * exclude (codes),
    list_filter(list_transform(codes, lambda code: trim(code)), lambda code: code != '')
        as category_codes,
    case
        when landing_reason is not null then landing_reason
        when (file_id, line_number) in (from repeated) then 'duplicate'
        when place_id is null then 'no_place'
    end as reason
from valued;

copy (
    select
        file_id, coalesce(reason, 'accepted') as verdict, count(*) as lines
    from (select file_id, reason from judged union all select file_id, reason from places)
    group by all
) to ($out || '/verdicts.parquet');

create temp table events as
select
    if(regexp_full_match(own_id, '[0-9a-f]{24}'), own_id, 'sample:' || kind || ':' || own_id)
        as event_id,
    user_id, place_id, if(kind = 'likes', 'like', 'review') as event_kind, event_at,
    if(is_backfill, event_at, landed_at) as known_at, rating, display_id, is_discoverable
from judged
where reason is null and known_at <= $as_of::timestamptz
qualify row_number() over (
    partition by event_id order by known_at desc, landed_at desc, file_id desc, line_number desc
) = 1;

copy events to ($out || '/events.parquet');

-- A bulk load: what happened first was known first, so that one order serves for both.
create temp table ranked as
with numbered as (
    select
        *,
        row_number() over so_far as nth,
        coalesce(last_value(is_discoverable ignore nulls) over so_far, true) as was_discoverable
    from events
    window so_far as (
        partition by user_id order by event_at, event_id
        rows between unbounded preceding and current row
    )
)
select *, max(nth) over (partition by user_id, event_at) as known_nth from numbered;

copy (
    select
        user_id,
        arg_max(was_discoverable, nth) as is_discoverable,
        min(event_at) as first_event_at,
        max(event_at) as last_event_at,
        count(*) as event_count,
        count(*) filter (where event_kind = 'like') as like_count,
        count(*) filter (where event_kind = 'review') as review_count
    from ranked
    group by user_id
) to ($out || '/users.parquet');

copy (
    select
        coalesce(told.place_id, visited.place_id) as place_id,
        coalesce(told.category_codes, []) as category_codes,
        coalesce(told.district_code, '') as district_code,
        told.latitude, told.longitude, coalesce(visited.event_count, 0) as event_count
    from (
        select * from places where reason is null
        qualify row_number() over (
            partition by place_id order by landed_at desc, file_id desc, line_number desc
        ) = 1
    ) as told
    full join (select place_id, count(*) as event_count from events group by place_id) as visited
        on told.place_id = visited.place_id
) to ($out || '/place.parquet');

create temp table asked as
with cut as (
    select event_at from events order by event_at
    limit 1 offset (select count(*) * 9 // 10 from events)
)
select user_id, max(nth) as nth from ranked group by user_id
union
select user_id, max(nth) from ranked where event_at < (from cut) group by user_id
union
select user_id, known_nth from ranked where nth % 200 = 0;

copy (
    with likes as (
        select asked.user_id, asked.nth, display_id, count(*) as like_count
        from asked
        inner join ranked on asked.user_id = ranked.user_id and asked.nth >= ranked.nth
        where event_kind = 'like' and display_id is not null
        group by all
    ),
    stats as (
        select
            user_id, nth,
            list_sort(list({ 'falling': -like_count, 'display_id': display_id }))[:20] as stats
        from likes
        group by all
    )
    select
        asked.user_id,
        max(ranked.known_at) as known_at,
        list(ranked.place_id order by ranked.nth) as event_place_ids,
        list(ranked.event_kind order by ranked.nth) as event_kinds,
        list(epoch_us(ranked.event_at) order by ranked.nth) as event_ats,
        list(coalesce(ranked.rating, -1) order by ranked.nth) as event_ratings,
        list(ranked.event_id order by ranked.nth) as event_ids,
        any_value([stat.display_id for stat in coalesce(stats, [])]) as like_stat_display_ids,
        any_value([-stat.falling for stat in coalesce(stats, [])]) as like_stat_counts,
        arg_max(ranked.was_discoverable, ranked.nth) as is_discoverable
    from asked
    inner join ranked
        on asked.user_id = ranked.user_id
        and ranked.nth between asked.nth - 199 and asked.nth
    left join stats on asked.user_id = stats.user_id and asked.nth = stats.nth
    group by asked.user_id, asked.nth
) to ($out || '/user_favor.parquet');
