{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    unique_key='user_id'
) }}

with events as (

    select * from {{ ref('fct_events') }}
    where {{ is_touched('user_id') }}

),

timed as (

    select
        user_id,
        event_id,
        place_id,
        event_at,
        lag(event_at) over (partition by user_id order by event_at, event_id) as previous_event_at
    from events
    -- Minutes that stand for an order tell of no pause.
    where not is_time_synthetic

),

started as (

    select
        user_id,
        event_id,
        place_id,
        event_at,
        last_value(
            if(
                event_at <= previous_event_at + to_minutes({{ var('session_gap_minutes') }}),
                null,
                event_id
            ) ignore nulls
        ) over (
            partition by user_id order by event_at, event_id
            rows between unbounded preceding and current row
        ) as first_event_id
    from timed

),

final as (

    select
        ----------  ids
        md5(user_id || '|' || first_event_id) as session_id,
        event_id,
        user_id,
        place_id,

        ----------  where in the session
        event_at,
        row_number() over (
            partition by user_id, first_event_id order by event_at, event_id
        ) as event_number
    from started

)

select * from final
