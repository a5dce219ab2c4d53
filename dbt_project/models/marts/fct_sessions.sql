{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    unique_key='user_id'
) }}

with session_events as (

    select * from {{ ref('fct_session_events') }}
    where {{ is_touched('user_id') }}

),

final as (

    select
        ----------  ids
        session_id,
        user_id,

        ----------  times
        min(event_at) as started_at,
        max(event_at) as ended_at,

        ----------  counts
        count(*) as event_count,
        count(distinct place_id) as place_count,
        (epoch_us(max(event_at)) - epoch_us(min(event_at))) // 1000000 as dwell_seconds
    from session_events
    group by session_id, user_id

)

select * from final
