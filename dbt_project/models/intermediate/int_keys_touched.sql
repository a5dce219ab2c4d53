with files as (

    select * from {{ ref('stg_ledger__files') }}

),

staged_events as (

    {{ staged_lines('events') }}

),

staged_places as (

    {{ staged_lines('places') }}

),

events_before as (

    {{ events_before() }}

),

event_lines as (

    select
        file_id,
        event_id,
        user_id,
        place_id,
        source,
        event_at,
        known_at
    from staged_events
    where line_status = 'accepted'

),

place_lines as (

    select
        file_id,
        place_id,
        known_at
    from staged_places
    where line_status = 'accepted'

),

-- What has become known since the last build: new lines, and those of a bulk load whose time came.
-- With nothing to add to, that is everything, and need not be listed.
touched_events as (

    select distinct event_lines.event_id
    from event_lines
    inner join files on event_lines.file_id = files.file_id
    where files.last_as_of is not null and (files.is_new or event_lines.known_at > files.last_as_of)

),

touched_places as (

    select distinct place_lines.place_id
    from place_lines
    inner join files on place_lines.file_id = files.file_id
    where files.last_as_of is not null and (files.is_new or place_lines.known_at > files.last_as_of)

),

-- All versions of a touched event: a correction may have moved it to another user or place.
touched_lines as (

    select
        event_lines.event_id,
        event_lines.user_id,
        event_lines.place_id,
        event_lines.source,
        event_lines.event_at::date as event_date
    from event_lines
    semi join touched_events on event_lines.event_id = touched_events.event_id

),

limited_sources as (

    select distinct source
    from files
    where mapped_events.max_events_per_day is not null

),

-- Which events of a day are too many is decided among all of that day.
days_touched as (

    select distinct
        touched_lines.user_id,
        touched_lines.source,
        touched_lines.event_date
    from touched_lines
    semi join limited_sources on touched_lines.source = limited_sources.source

),

excluded as (

    {{ excluded_people() }}

),

excluded_before as (

    {{ excluded_before() }}

),

newly_counted_or_not as (

    select coalesce(excluded.user_id, excluded_before.user_id) as user_id
    from excluded
    full join excluded_before on excluded.user_id = excluded_before.user_id
    where excluded.user_id is null or excluded_before.user_id is null

),

-- Events of before that may count now where they did not, or the other way round.
counted_anew as (

    select
        events_before.event_id,
        events_before.user_id
    from events_before
    semi join days_touched
        on
            events_before.user_id = days_touched.user_id
            and events_before.source = days_touched.source
            and events_before.event_at::date = days_touched.event_date
    union all
    select
        events_before.event_id,
        events_before.user_id
    from events_before
    semi join newly_counted_or_not on events_before.user_id = newly_counted_or_not.user_id

),

keys as (

    select
        'event_id' as key_name,
        event_id as touched_key
    from touched_events
    union
    select
        'event_id' as key_name,
        event_id as touched_key
    from counted_anew
    union
    select
        'user_id' as key_name,
        user_id as touched_key
    from touched_lines
    union
    select
        'user_id' as key_name,
        user_id as touched_key
    from counted_anew
    union
    select
        'place_id' as key_name,
        place_id as touched_key
    from touched_lines
    union
    select
        'place_id' as key_name,
        place_id as touched_key
    from touched_places

),

final as (

    select * from keys
    -- A line that takes an event back need not name the place.
    where touched_key is not null

)

select * from final
