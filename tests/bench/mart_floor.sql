-- The mart of the sample city as one who knows its documents would write it by hand, for speed:
-- no layers, no tests, no column that nobody downstream reads. `bench-mart` measures dbt's build
-- against it, and checks that both give the same rows.
--   $lines   the archive's Parquet files       $files   the ledger's export
--   $as_of   the moment of the build           $out     the folder to write to

create macro unwrapped(value) as nullif(trim(if(
    starts_with(value, '{'),
    coalesce(
        value ->> '$."$oid"', value ->> '$."$date"."$numberLong"', value ->> '$."$date"',
        value ->> '$."$numberDouble"', value ->> '$."$numberLong"'
    ),
    value
)), '');

create macro moment(value) as coalesce(
    make_timestamptz(
        try_cast(value as bigint)
        * if(abs(try_cast(value as bigint)) < 1e11, 1000000, 1000)
    ),
    try_cast(value as timestamptz)
);

-- A number tells the order of landing, and is narrower than an id.
create temp table files as
select
    file_id, landed_at, is_backfill,
    -- Days are added by a calendar, which is slow: once a file, not once a line.
    landed_at + interval 1 day as latest_at,
    row_number() over (order by landed_at, file_id)::integer as file_number
from read_parquet($files);

-- Each document is read once, and only what comes out of it is kept.
create temp table judged as
with parsed as (
    select
        files.file_number, files.landed_at, files.latest_at, files.is_backfill, lines.line_number,
        lines.kind, lines.user_id, lines.landing_reason,
        hash(lines.kind, lines.doc) as doc_hash,
        json_transform(lines.doc, '{
            "_id": "VARCHAR", "contents_id": "VARCHAR", "place_id": "VARCHAR",
            "display_id": "VARCHAR", "like_time": "VARCHAR", "visited_date": "VARCHAR",
            "rating": "VARCHAR", "is_discoverable": "VARCHAR"
        }') as fields
    from read_parquet($lines, hive_partitioning = true) as lines
    inner join files using (file_id)
    where lines.kind != 'places'
),
valued as (
    select
        *,
        unwrapped(fields._id) as own_id,
        unwrapped(coalesce(fields.contents_id, fields.place_id)) as place_id,
        unwrapped(coalesce(fields.like_time, fields.visited_date)) as time_text,
        moment(time_text) as event_at,
        unwrapped(fields.rating) as rating_text,
        try_cast(rating_text as double) as rating
    from parsed
)
select
    file_number, line_number, doc_hash, user_id, place_id, event_at, rating,
    if(regexp_full_match(own_id, '[0-9a-f]{24}'), own_id, 'sample:' || kind || ':' || own_id)
        as event_id,
    if(kind = 'likes', 'like', 'review') as event_kind,
    if(is_backfill, event_at, landed_at) as known_at,
    unwrapped(fields.display_id) as display_id,
    unwrapped(fields.is_discoverable)::boolean as is_discoverable,
    landing_reason,
    case
        when landing_reason is not null then landing_reason
        when place_id is null then 'no_place'
        when time_text is null then 'no_time'
        when event_at is null then 'bad_time'
        when event_at < timestamptz '2000-01-01 00:00:00+00' then 'before_2000'
        when event_at > latest_at then 'in_future'
        when rating_text is not null and coalesce(rating not between 0 and 5, true)
            then 'bad_rating'
    end as reason
from valued;

-- Equal documents have equal ids, so that only lines whose id is repeated need be compared.
create temp table rivals as
select
    rowid as line, file_number, line_number, event_id, known_at, landing_reason, reason,
    row_number() over (partition by doc_hash order by file_number, line_number) > 1
        as is_duplicate
from judged
where hash(event_id) in (
    select hash(event_id) from judged group by hash(event_id) having count(*) > 1
);

create temp table places as
with parsed as (
    select
        files.file_number, lines.line_number, lines.landing_reason, lines.district_code,
        hash(lines.doc) as doc_hash,
        json_transform(lines.doc, '{
            "_id": "VARCHAR", "category_codes": "VARCHAR", "district_code": "VARCHAR",
            "location": {"lat": "VARCHAR", "lng": "VARCHAR"}
        }') as fields
    from read_parquet($lines, hive_partitioning = true) as lines
    inner join files using (file_id)
    where lines.kind = 'places'
),
valued as (
    select
        * exclude (district_code),
        unwrapped(fields._id) as place_id,
        if(
            fields.category_codes[1] = '[',
            from_json(
                if(fields.category_codes[1] = '[', fields.category_codes, '[]'), '["VARCHAR"]'
            ),
            string_split(coalesce(fields.category_codes, ''), ',')
        ) as codes,
        coalesce(unwrapped(fields.district_code), district_code) as district_code,
        try_cast(unwrapped(fields.location.lat) as double) as latitude,
        try_cast(unwrapped(fields.location.lng) as double) as longitude
    from parsed
)
select
    * exclude (fields, doc_hash, codes),
    list_filter(list_transform(codes, lambda code: trim(code)), lambda code: code != '')
        as category_codes,
    case
        when landing_reason is not null then landing_reason
        when row_number() over (partition by doc_hash order by file_number, line_number) > 1
            then 'duplicate'
        when place_id is null then 'no_place'
    end as reason
from valued;

copy (
    select
        files.file_id,
        coalesce(counted.reason, 'accepted') as verdict,
        sum(counted.lines)::bigint as lines
    from (
        select file_number, reason, count(*) as lines from judged group by all
        union all
        select file_number, reason, count(*) from places group by all
        union all
        -- The duplicates, which were counted as something else above.
        select file_number, unnest(['duplicate', reason]), unnest([1, -1]) from rivals
        where is_duplicate and landing_reason is null
    ) as counted
    inner join files using (file_number)
    group by all
) to ($out || '/verdicts.parquet');

create temp table events as
select
    event_id, user_id, place_id, event_kind, event_at, known_at, rating, display_id,
    is_discoverable
from judged
where reason is null and known_at <= $as_of::timestamptz and rowid not in (
    select line from rivals where is_duplicate
    union all
    select line from (
        from rivals
        where reason is null and not is_duplicate and known_at <= $as_of::timestamptz
        qualify row_number() over (
            partition by event_id order by known_at desc, file_number desc, line_number desc
        ) > 1
    )
);

-- Uncompressed, and no dictionary tried for ids, since a floor need not be small.
copy events to ($out || '/events.parquet') (compression uncompressed, dictionary_size_limit 1000);

copy (
    select
        coalesce(told.place_id, visited.place_id) as place_id,
        coalesce(told.category_codes, []) as category_codes,
        coalesce(told.district_code, '') as district_code,
        told.latitude, told.longitude, coalesce(visited.event_count, 0) as event_count
    from (
        select * from places where reason is null
        qualify row_number() over (
            partition by place_id order by file_number desc, line_number desc
        ) = 1
    ) as told
    full join (select place_id, count(*) as event_count from events group by place_id) as visited
        on told.place_id = visited.place_id
) to ($out || '/place.parquet');

-- A bulk load: what happened first was known first, so that one order serves for both. All
-- windows share it, and lists of what comes out in order are fast to make and to sort.
create temp table histories as
with cut as (
    select event_at from events order by event_at
    limit 1 offset (select count(*) * 9 // 10 from events)
),
ranked as (
    select
        *,
        row_number() over so_far as nth,
        count(*) over (partition by user_id order by event_at) as known_nth,
        coalesce(last_value(is_discoverable ignore nulls) over so_far, true) as was_discoverable
    from events
    window so_far as (
        partition by user_id order by event_at, md5(event_id)
        rows between unbounded preceding and current row
    )
)
select
    user_id,
    min(event_at) as first_event_at,
    max(event_at) as last_event_at,
    count(*) as event_count,
    count(*) filter (where event_kind = 'like') as like_count,
    count(*) filter (where event_at < (from cut)) as cut_nth,
    list(known_nth) filter (where nth % 200 = 0) as window_nths,
    list_sort(list({
        'event_at': epoch_us(event_at), 'event_id': event_id, 'place_id': place_id,
        'event_kind': event_kind, 'rating': coalesce(rating, -1), 'known_at': known_at,
        'display_id': if(event_kind = 'like', display_id, null),
        'was_discoverable': was_discoverable
    })) as events
from ranked
group by user_id;

copy (
    select
        user_id, events[-1].was_discoverable as is_discoverable, first_event_at, last_event_at,
        event_count, like_count, event_count - like_count as review_count
    from histories
) to ($out || '/users.parquet');

-- Lists are made once a user, and then sliced, which copies nothing.
copy (
    with listed as (
        select
            user_id, events,
            list_transform(events, lambda event: event.place_id) as place_ids,
            list_transform(events, lambda event: event.event_kind) as kinds,
            list_transform(events, lambda event: event.event_at) as ats,
            list_transform(events, lambda event: event.rating) as ratings,
            list_transform(events, lambda event: event.event_id) as ids,
            list_transform(events, lambda event: event.display_id) as display_ids,
            unnest(list_distinct(
                coalesce(window_nths, [])
                || if(cut_nth > 0, [cut_nth, event_count], [event_count])
            )) as nth
        from histories
    ),
    counted as (
        select
            *,
            list_sort(list_transform(
                map_entries(list_aggregate(display_ids[:nth], 'histogram')),
                lambda entry: { 'falling': -entry.value::bigint, 'display_id': entry.key }
            ))[:20] as stats
        from listed
    )
    select
        user_id,
        events[nth].known_at as known_at,
        place_ids[greatest(nth - 199, 1):nth] as event_place_ids,
        kinds[greatest(nth - 199, 1):nth] as event_kinds,
        ats[greatest(nth - 199, 1):nth] as event_ats,
        ratings[greatest(nth - 199, 1):nth] as event_ratings,
        ids[greatest(nth - 199, 1):nth] as event_ids,
        coalesce([stat.display_id for stat in stats], []) as like_stat_display_ids,
        coalesce([-stat.falling for stat in stats], []) as like_stat_counts,
        events[nth].was_discoverable as is_discoverable
    from counted
) to ($out || '/user_favor.parquet') (compression uncompressed, dictionary_size_limit 1000);
