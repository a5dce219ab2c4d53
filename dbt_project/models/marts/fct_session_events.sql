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
        row_number() over in_order as event_rank,
        epoch_us(event_at) - epoch_us(lag(event_at) over in_order) as pause_us
    from events
    -- Minutes that stand for an order tell of no pause.
    where not is_time_synthetic
    window in_order as (partition by user_id order by {{ in_time() }})

),

started as (

    select
        *,
        last_value(
            if(
                pause_us <= {{ var('session_gap_minutes') }} * 60000000::bigint,
                null,
                { 'event_id': event_id, 'event_rank': event_rank }
            ) ignore nulls
        ) over (
            partition by user_id order by event_rank
            rows between unbounded preceding and current row
        ) as first_event
    from timed

),

final as (

    select
        ----------  ids
        md5(user_id || '|' || first_event.event_id) as session_id,
        event_id,
        user_id,
        place_id,

        ----------  where in the session
        event_at,
        event_rank - first_event.event_rank + 1 as event_number
    from started

)

select * from final
