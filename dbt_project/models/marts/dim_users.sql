{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    unique_key='user_id'
) }}

with events as (

    select * from {{ ref('fct_events') }}
    where {{ is_touched('user_id') }}

),

final as (

    select
        user_id,
        -- The newest event that speaks of consent decides, of equal moments the denial; without
        -- any, the default.
        coalesce(
            arg_max(is_discoverable, (known_at, event_at, not is_discoverable))
            filter (where is_discoverable is not null),
            true
        ) as is_discoverable,
        min(event_at) as first_event_at,
        max(event_at) as last_event_at,
        count(*) as event_count,
        count(*) filter (where event_kind = 'like') as like_count,
        count(*) filter (where event_kind = 'review') as review_count,
        count(*) filter (where event_kind = 'visit') as visit_count
    from events
    group by user_id

)

select * from final
