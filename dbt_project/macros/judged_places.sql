{#- The last steps of a model of place documents: coordinates typed, the line judged. -#}
{% macro judged_places(renamed) -%}
    select
        {{ line_columns(known_at="if(is_backfill, timestamptz '2000-01-01 00:00:00+00', landed_at)") }},
        place_id,
        {{ first_of_each('category_codes') }} as category_codes,
        district_code,
        latitude,
        longitude
    from (
        select
            *,
            case
                when not is_readable then 'not_json'
                when place_id is null then 'no_place'
                when
                    coalesce(latitude_text, longitude_text) is not null
                    and coalesce(
                        latitude not between -90 and 90 or longitude not between -180 and 180, true
                    )
                    then 'bad_coordinates'
            end as value_reason
        from (
            select
                *,
                {{ plain_text('latitude_value') }} as latitude_text,
                {{ plain_text('longitude_value') }} as longitude_text,
                {{ parsed_number('latitude_text') }} as latitude,
                {{ parsed_number('longitude_text') }} as longitude
            from {{ renamed }}
        )
    )
{%- endmacro %}
