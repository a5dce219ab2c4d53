with events as (

    select * from {{ ref('fct_events') }}

),

total as (

    select count(*) as event_count from events

),

-- The event at nine tenths of all, by time: from it on lies the last tenth.
cut as (

    select event_at as cut_at
    from events
    order by event_at
    limit 1 offset (select total.event_count * 9 // 10 from total)

),

users as (

    select
        user_id,
        min(known_at) as first_known_at
    from events
    group by user_id

),

numbered as (

    select
        user_id,
        known_at,
        row_number() over (partition by user_id order by known_at, event_at, event_id) as known_rank
    from events

),

current_moments as (

    select
        user_id,
        {{ as_of() }} as as_of,
        'current' as purpose
    from users

),

cutoff_moments as (

    select
        users.user_id,
        -- Just before the cut, so that what was known at it is not seen.
        cut.cut_at - interval 1 microsecond as as_of,
        'cutoff' as purpose
    from users
    cross join cut
    where users.first_known_at < cut.cut_at

),

window_moments as (

    select distinct
        user_id,
        known_at as as_of,
        'window' as purpose
    from numbered
    where known_rank % {{ var('events_in_favor') }} = 0

),

final as (

    select * from current_moments
    union all
    select * from cutoff_moments
    union all
    select * from window_moments

)

select * from final
