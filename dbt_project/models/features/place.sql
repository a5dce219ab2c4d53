with places as (

    select * from {{ ref('dim_places') }}

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
