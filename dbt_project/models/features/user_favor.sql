{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    unique_key='user_id',
    meta={'touched_in': 'int_favors_touched'},
    post_hook='{{ add_other_parts() }}'
) }}

{%- set is_touched_user = is_touched('user_id', 'int_favors_touched') %}
{%- set is_in_this_part = is_in_part('user_id', ref('fct_events'), is_touched_user) %}

with events as (

    select * from {{ ref('fct_events') }}
    where is_counted and {{ is_touched_user }} and {{ is_in_this_part }}

),

-- Who says no is heard, however much else they do.
consents as (

    select
        user_id,
        known_at,
        arg_max(is_discoverable, (event_at, not is_discoverable)) as is_discoverable
    from {{ ref('fct_events') }}
    where is_discoverable is not null and {{ is_touched_user }} and {{ is_in_this_part }}
    group by user_id, known_at

),

moments as (

    select distinct
        user_id,
        as_of
    from {{ ref('feature_moments') }}
    where {{ is_touched_user }} and {{ is_in_this_part }}

),

by_event as (

    select
        *,
        row_number() over so_far as event_rank,
        lead(known_at) over so_far as next_known_at,
        coalesce(lag(known_at) over so_far > known_at, false) as is_late
    from events
    window
        so_far as (
            partition by user_id order by {{ in_time() }}
            rows between unbounded preceding and current row
        )

),

-- For them alone things became known in another order than that of time.
late_users as (

    select distinct user_id
    from by_event
    where is_late

),

known_late as (

    select
        * replace (lead(known_at) over so_far as next_known_at),
        row_number() over so_far as known_rank,
        max(event_rank) over so_far as high_rank,
        -- Of the newest events by time, none stands before the first of those known last.
        min(event_rank) over (
            partition by user_id order by known_at, event_rank
            rows between {{ var('events_in_favor') }} preceding and current row
        ) as low_rank
    from by_event
    where user_id in (select late_users.user_id from late_users)
    window
        so_far as (
            partition by user_id order by known_at, event_rank
            rows between unbounded preceding and current row
        )

),

by_known as (

    select * from known_late
    union all
    select
        *,
        event_rank as known_rank,
        event_rank as high_rank,
        greatest(event_rank - {{ var('events_in_favor') }}, 1) as low_rank
    from by_event
    where user_id not in (select late_users.user_id from late_users)

),

-- What a user's events came to whenever something became known; its last event speaks for it.
states as (

    select
        user_id,
        known_at,
        known_rank,
        if(known_rank < {{ var('events_in_favor') }}, 1, low_rank) as low_rank,
        high_rank
    from by_known
    where known_at is distinct from next_known_at

),

asked as (

    select distinct
        states.user_id,
        -- A word on consent may be all that is new, where the event itself does not count.
        greatest(states.known_at, coalesce(consents.known_at, states.known_at)) as known_at,
        states.known_rank,
        states.low_rank,
        states.high_rank,
        coalesce(consents.is_discoverable, true) as is_discoverable
    from moments
    asof join states
        on moments.user_id = states.user_id and moments.as_of >= states.known_at
    asof left join consents
        on moments.user_id = consents.user_id and moments.as_of >= consents.known_at

),

bounded as (

    select
        user_id,
        known_at,
        known_rank,
        high_rank,
        -- One late row would drag the bound far back; an earlier state's still holds.
        max(low_rank) over (
            partition by user_id order by known_rank
            rows between unbounded preceding and current row
        ) as low_rank
    from asked

),

-- Buckets of ranks make the join below an equality: a state meets only the events near it.
bucketed as (

    select
        user_id,
        known_at,
        known_rank,
        low_rank,
        unnest(range(
            low_rank // {{ var('events_in_favor') }}, high_rank // {{ var('events_in_favor') }} + 1
        )) as bucket
    from bounded

),

listed as (

    select
        bucketed.user_id,
        bucketed.known_at,
        list_slice(
            list_sort(list({
                'event_rank': by_known.event_rank,
                'place_id': by_known.place_id,
                'event_kind': by_known.event_kind,
                'event_at': epoch_us(by_known.event_at),
                'rating': coalesce(by_known.rating, -1),
                'event_id': by_known.event_id,
                'is_time_synthetic': by_known.is_time_synthetic
            })),
            -{{ var('events_in_favor') }},
            -1
        ) as newest
    from bucketed
    inner join by_known
        on
            bucketed.user_id = by_known.user_id
            and bucketed.bucket = by_known.event_rank // {{ var('events_in_favor') }}
            and bucketed.low_rank <= by_known.event_rank
            and bucketed.known_rank >= by_known.known_rank
    group by bucketed.user_id, bucketed.known_at

),

likes as (

    select
        asked.user_id,
        asked.known_at,
        by_known.display_id,
        count(*) as like_count
    from asked
    inner join by_known
        on asked.user_id = by_known.user_id and asked.known_rank >= by_known.known_rank
    where by_known.event_kind = 'like' and by_known.display_id is not null
    group by asked.user_id, asked.known_at, by_known.display_id

),

like_stats as (

    select
        user_id,
        known_at,
        list_slice(
            list_sort(list({ 'falling_count': -like_count, 'display_id': display_id })),
            1,
            {{ var('displays_in_favor') }}
        ) as most_liked
    from likes
    group by user_id, known_at

),

final as (

    select
        asked.user_id,
        asked.known_at,
        list_transform(listed.newest, lambda event: event.place_id) as event_place_ids,
        list_transform(listed.newest, lambda event: event.event_kind) as event_kinds,
        list_transform(listed.newest, lambda event: event.event_at) as event_ats,
        list_transform(listed.newest, lambda event: event.rating) as event_ratings,
        list_transform(listed.newest, lambda event: event.event_id) as event_ids,
        coalesce(
            list_transform(like_stats.most_liked, lambda display: display.display_id), []
        ) as like_stat_display_ids,
        coalesce(
            list_transform(like_stats.most_liked, lambda display: -display.falling_count), []
        ) as like_stat_counts,
        asked.is_discoverable,
        list_bool_or(
            list_transform(listed.newest, lambda event: event.is_time_synthetic)
        ) as is_time_synthetic
    from asked
    inner join listed
        on asked.user_id = listed.user_id and asked.known_at = listed.known_at
    left join like_stats
        on asked.user_id = like_stats.user_id and asked.known_at = like_stats.known_at

)

select * from final
