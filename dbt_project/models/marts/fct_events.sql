{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    unique_key='event_id'
) }}

with lines as (

    {{ staged_lines('events') }}

),

known as (

    select * from lines
    where
        line_status = 'accepted'
        and known_at <= {{ as_of() }}
        and {{ is_touched('event_id') }}

),

repeated as (

    select event_id
    from known
    group by event_id
    having count(*) > 1

),

-- Only events of several versions are ranked, which spares sorting all the others.
superseded as (

    select
        file_id,
        line_number
    from known
    where event_id in (select repeated.event_id from repeated)
    qualify
        row_number() over (
            partition by event_id
            -- Of what became known at once, that an event was taken back comes after the event.
            order by known_at desc, landed_at desc, is_deleted desc, file_id desc, line_number desc
        ) > 1

),

limits as (

    select
        file_id,
        mapped_events.max_events_per_day as most_a_day
    from {{ ref('stg_ledger__files') }}
    where mapped_events.max_events_per_day is not null

),

-- What is touched of a source with a limit are whole days of people: int_keys_touched.
surplus as (

    select known.event_id
    from known
    inner join limits on known.file_id = limits.file_id
    anti join superseded
        on known.file_id = superseded.file_id and known.line_number = superseded.line_number
    where not known.is_deleted
    qualify
        row_number() over (
            partition by known.user_id, known.source, known.event_at::date
            order by {{ in_time() }}
        ) > limits.most_a_day

),

excluded as (

    {{ excluded_people() }}

),

final as (

    select
        ----------  ids
        known.event_id,
        known.user_id,
        known.place_id,

        ----------  what happened
        known.event_kind,
        known.event_at,
        known.event_order,
        known.known_at,
        known.rating,
        known.display_id,

        ----------  flags
        known.is_discoverable,
        coalesce(known.is_time_synthetic, false) as is_time_synthetic,
        known.is_backfill,
        known.event_id not in (select surplus.event_id from surplus)
        and known.user_id not in (select excluded.user_id from excluded) as is_counted,

        ----------  where it came from
        known.source,
        known.file_id,
        known.line_number
    from known
    anti join superseded
        on known.file_id = superseded.file_id and known.line_number = superseded.line_number
    where not known.is_deleted

)

select * from final
