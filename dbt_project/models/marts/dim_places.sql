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

latest_documents as (

    select * from documents
    where
        line_status = 'accepted'
        and known_at <= {{ as_of() }}
        and {{ is_touched('place_id') }}
    qualify
        row_number() over (
            partition by place_id
            order by known_at desc, landed_at desc, file_id desc, line_number desc
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

final as (

    select
        ----------  ids
        coalesce(latest_documents.place_id, visited.place_id) as place_id,

        ----------  what it is
        coalesce(latest_documents.category_codes, []) as category_codes,
        latest_documents.district_code,
        latest_documents.latitude,
        latest_documents.longitude,

        ----------  times and counts
        coalesce(latest_documents.known_at, visited.known_at) as known_at,
        coalesce(visited.event_count, 0) as event_count
    from latest_documents
    full join visited on latest_documents.place_id = visited.place_id

)

select * from final
