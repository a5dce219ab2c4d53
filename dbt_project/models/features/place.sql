{{ config(
    materialized='incremental',
    incremental_strategy='replace_touched',
    unique_key='place_id'
) }}

with documents as (

    {{ staged_lines('places') }}

),

events as (

    select * from {{ ref('fct_events') }}

),

described as (

    select * from documents
    where
        line_status = 'accepted'
        and known_at <= {{ as_of() }}
        and {{ is_touched('place_id') }}
    -- Of what became known at once, the last line.
    qualify
        row_number() over (
            partition by place_id, known_at
            order by landed_at desc, file_id desc, line_number desc
        ) = 1

),

visited as (

    select
        place_id,
        min(known_at) as known_at,
        count(*) as event_count
    from events
    where {{ is_touched('place_id') }}
    group by place_id

),

first_described as (

    select
        place_id,
        min(known_at) as known_at
    from described
    group by place_id

),

places as (

    select
        described.place_id,
        described.known_at,
        coalesce(described.category_codes, []) as category_codes,
        described.district_code,
        described.latitude,
        described.longitude,
        coalesce(visited.event_count, 0) as event_count
    from described
    left join visited on described.place_id = visited.place_id
    union all by name
    -- Until its first document a place is known by those who were there.
    select
        visited.place_id,
        visited.known_at,
        []::varchar[] as category_codes,
        visited.event_count
    from visited
    left join first_described on visited.place_id = first_described.place_id
    where coalesce(visited.known_at < first_described.known_at, true)

),

final as (

    select
        place_id,
        known_at,
        category_codes,
        coalesce(district_code, '') as district_code,
        latitude,
        longitude,
        event_count
    from places

)

select * from final
