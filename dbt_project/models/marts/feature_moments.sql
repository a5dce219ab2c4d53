{#- The moments of untouched users stay; what is the same for all is told anew. -#}
{% if not execute %}{% do ref('int_keys_touched') %}{% endif %}
{% set keeps_windows = extends_last_build() and load_relation(this) is not none %}

with events as (

    select * from {{ ref('fct_events') }}
    where is_counted

),

-- The event at nine tenths of all, by time: from it on lies the last tenth.
cut as (

    {% if var('cutoff_at') %}
        select timestamptz '{{ var('cutoff_at') }}' + interval 1 microsecond as cut_at
    {% else %}
        select event_at as cut_at
        from events
        order by event_at
        limit 1 offset (select count(every.event_id) * 9 // 10 from events as every)
    {% endif %}

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
        -- Whichever of those known at one moment comes first: the moment is the same.
        row_number() over known as known_rank,
        coalesce(lead(known_at) over known = known_at, false) as is_followed
    from events
    {% if keeps_windows %}
        where {{ is_among('user_id', 'int_keys_touched') }}
    {% endif %}
    window known as (partition by user_id order by known_at)

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
    union
    -- Where more became known at that moment, it no longer holds the first of them.
    select
        user_id,
        known_at - interval 1 microsecond as as_of,
        'window' as purpose
    from numbered
    where known_rank % {{ var('events_in_favor') }} = 0 and is_followed
    {% if keeps_windows %}
        union all
        select
            user_id,
            as_of,
            purpose
        from {{ this }}
        where purpose = 'window' and not {{ is_among('user_id', 'int_keys_touched') }}
    {% endif %}

),

final as (

    select * from current_moments
    union all
    select * from cutoff_moments
    union all
    select * from window_moments

)

select * from final
