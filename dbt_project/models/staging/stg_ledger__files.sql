with source as (

    select * from {{ source('raw', 'files') }}

),

last_build as (

    {% if extends_last_build() %}
        select * from {{ last_build() }}
    {% else %}
        select
            null::varchar as file_id,
            null::timestamptz as as_of,
            null::timestamptz as cutoff_at
        where false
    {% endif %}

),

dated as (

    select
        *,
        {{ as_of() }} as as_of
    from source

),

known as (

    select
        ----------  ids
        file_id,
        source,
        kind,
        name,
        sha256,
        replays_file_id,

        ----------  counts
        bytes,
        lines_in,

        ----------  times
        landed_at,
        landed_date,
        as_of,

        ----------  flags
        is_backfill,

        ----------  mapping, and of it where each value stands in the source's documents
        mapping,
        json_transform(mapping ->> '$.events', '{
            "user": "VARCHAR", "place": "VARCHAR", "order": "VARCHAR", "kind": "VARCHAR",
            "rating": "VARCHAR", "event_id": "VARCHAR", "discoverable": "VARCHAR", "deleted": "VARCHAR",
            "max_events_per_day": "BIGINT",
            "time": {"column": "VARCHAR", "unit": "VARCHAR", "timezone": "VARCHAR"}
        }') as mapped_events,
        json_transform(mapping ->> '$.places', '{
            "place": "VARCHAR", "categories": "VARCHAR", "separator": "VARCHAR",
            "latitude": "VARCHAR", "longitude": "VARCHAR", "district": "VARCHAR"
        }') as mapped_places
    from dated
    -- A bulk load speaks of the past and is known from then on; its events are judged one by one.
    where is_backfill or landed_at <= as_of

),

compared as (

    select
        known.*,
        last_build.file_id is null as is_new,
        (select max(builds.as_of) from last_build as builds) as last_as_of,
        (select max(builds.cutoff_at) from last_build as builds) as last_cutoff_at
    from known
    left join last_build on known.file_id = last_build.file_id

),

-- A zone that DuckDB does not know would stop the build; without one, local times are not read.
zoned as (

    select
        compared.*,
        zones.name as time_zone
    from compared
    left join pg_timezone_names() as zones
        on zones.name = coalesce(compared.mapped_events.time.timezone, 'UTC')

)

select * from zoned
