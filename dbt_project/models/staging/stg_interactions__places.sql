with parsed as (

    {{ parsed_lines('places') }}

),

renamed as (

    select
        * exclude (doc_fields, mapped, mapped_places, district_code),
        doc_fields is not null as is_readable,
        {{ plain_text('doc_fields[mapped.place]') }} as place_id,
        {{ parsed_list('doc_fields[mapped.categories]', 'mapped.separator') }} as category_codes,
        coalesce({{ plain_text('doc_fields[mapped.district]') }}, district_code) as district_code,
        doc_fields[mapped.latitude] as latitude_value,
        doc_fields[mapped.longitude] as longitude_value
    from parsed

),

final as (

    {{ judged_places('renamed') }}

)

select * from final
