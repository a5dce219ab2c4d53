with files as (

    select * from {{ ref('stg_ledger__files') }}

),

touched as (

    select * from {{ ref('int_keys_touched') }}

),

events as (

    select * from {{ ref('fct_events') }}

),

moments as (

    select * from {{ ref('feature_moments') }}

),

cutoffs as (

    select coalesce(max(last_cutoff_at), timestamptz '-infinity') as cutoff_at
    from files
    where last_as_of is not null
    group by last_as_of
    union all
    select coalesce(max(as_of), timestamptz '-infinity') as cutoff_at
    from moments
    where purpose = 'cutoff'

),

-- With nothing to add to there is but one. Else it moves with the events of all, and whoever
-- had one between its old and its new place has another row at it.
moved as (

    select
        min(cutoff_at) as moved_after,
        max(cutoff_at) as moved_until
    from cutoffs
    having count(*) = 2

),

final as (

    select
        'user_id' as key_name,
        touched_key
    from touched
    where key_name = 'user_id'
    union
    select
        'user_id' as key_name,
        events.user_id as touched_key
    from events
    inner join moved
        on events.known_at > moved.moved_after and events.known_at <= moved.moved_until

)

select * from final
