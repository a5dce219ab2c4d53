with events as (

    select * from {{ ref('fct_events') }}

),

moments as (

    select distinct
        user_id,
        as_of
    from {{ ref('feature_moments') }}

),

ordered as (

    select
        *,
        row_number() over by_event as event_rank,
        row_number() over by_known as known_rank
    from events
    window
        by_event as (partition by user_id order by event_at, event_id),
        by_known as (partition by user_id order by known_at, event_at, event_id)

),

-- Among the newest N events by time known at a moment can only be events from `low_rank` on: the
-- earliest of the N that became known last, or of any N that did so before them.
bounded as (

    select
        *,
        max(lowest_of_last) over so_far as low_rank,
        max(event_rank) over so_far as high_rank,
        last_value(is_discoverable ignore nulls) over so_far as discoverable_so_far
    from (
        select
            *,
            case
                when known_rank >= {{ var('events_in_favor') }}
                    then min(event_rank) over (
                        partition by user_id
                        order by known_rank
                        rows between {{ var('events_in_favor') - 1 }} preceding and current row
                    )
                else 1
            end as lowest_of_last
        from ordered
    )
    window so_far as (
        partition by user_id order by known_rank
        rows between unbounded preceding and current row
    )

),

-- One state per user and moment at which something became known: its last event speaks for it.
states as (

    select
        user_id,
        known_at,
        known_rank,
        low_rank,
        high_rank,
        coalesce(discoverable_so_far, true) as is_discoverable
    from bounded
    qualify
        row_number() over (partition by user_id, known_at order by known_rank desc) = 1

),

asked as (

    select distinct
        states.user_id,
        states.known_at,
        states.known_rank,
        states.low_rank,
        states.high_rank,
        states.is_discoverable
    from moments
    asof join states
        on moments.user_id = states.user_id and moments.as_of >= states.known_at

),

-- Buckets of ranks make the join an equality: a state meets only the events near it.
bucketed as (

    select
        user_id,
        known_at,
        known_rank,
        low_rank,
        high_rank,
        unnest(range(
            low_rank // {{ var('events_in_favor') }}, high_rank // {{ var('events_in_favor') }} + 1
        )) as bucket
    from asked

),

candidates as (

    select
        bucketed.user_id,
        bucketed.known_at as state_known_at,
        ordered.place_id,
        ordered.event_kind,
        ordered.event_at,
        ordered.rating,
        ordered.event_id,
        ordered.is_time_synthetic,
        ordered.event_rank
    from bucketed
    inner join ordered
        on
            bucketed.user_id = ordered.user_id
            and bucketed.bucket = ordered.event_rank // {{ var('events_in_favor') }}
            and bucketed.low_rank <= ordered.event_rank
            and bucketed.known_rank >= ordered.known_rank

),

newest as (

    select * from candidates
    qualify
        row_number() over (
            partition by user_id, state_known_at order by event_rank desc
        ) <= {{ var('events_in_favor') }}

),

listed as (

    select
        user_id,
        state_known_at as known_at,
        list(place_id order by event_rank) as event_place_ids,
        list(event_kind order by event_rank) as event_kinds,
        list(epoch_us(event_at) order by event_rank) as event_ats,
        list(coalesce(rating, -1) order by event_rank) as event_ratings,
        list(event_id order by event_rank) as event_ids,
        bool_or(is_time_synthetic) as is_time_synthetic
    from newest
    group by user_id, state_known_at

),

likes as (

    select
        asked.user_id,
        asked.known_at,
        ordered.display_id,
        count(*) as like_count
    from asked
    inner join ordered
        on asked.user_id = ordered.user_id and asked.known_rank >= ordered.known_rank
    where ordered.event_kind = 'like' and ordered.display_id is not null
    group by asked.user_id, asked.known_at, ordered.display_id

),

top_likes as (

    select * from likes
    qualify
        row_number() over (
            partition by user_id, known_at order by like_count desc, display_id
        ) <= {{ var('displays_in_favor') }}

),

like_stats as (

    select
        user_id,
        known_at,
        list(display_id order by like_count desc, display_id) as like_stat_display_ids,
        list(like_count order by like_count desc, display_id) as like_stat_counts
    from top_likes
    group by user_id, known_at

),

final as (

    select
        asked.user_id,
        asked.known_at,
        listed.event_place_ids,
        listed.event_kinds,
        listed.event_ats,
        listed.event_ratings,
        listed.event_ids,
        coalesce(like_stats.like_stat_display_ids, []) as like_stat_display_ids,
        coalesce(like_stats.like_stat_counts, []) as like_stat_counts,
        asked.is_discoverable,
        listed.is_time_synthetic
    from asked
    inner join listed
        on asked.user_id = listed.user_id and asked.known_at = listed.known_at
    left join like_stats
        on asked.user_id = like_stats.user_id and asked.known_at = like_stats.known_at

)

select * from final
