with parsed as (

    {{ parsed_lines('places', ['_id', 'category_codes', 'district_code', 'location']) }}

),

renamed as (

    select
        * exclude (doc_fields, district_code),
        doc_fields is not null as is_readable,
        {{ plain_text('doc_fields._id') }} as place_id,
        {{ parsed_list('doc_fields.category_codes', "','") }} as category_codes,
        coalesce({{ plain_text('doc_fields.district_code') }}, district_code) as district_code,
        try(json_extract_string(doc_fields.location, '$.lat')) as latitude_value,
        try(json_extract_string(doc_fields.location, '$.lng')) as longitude_value
    from parsed

),

final as (

    {{ judged_places('renamed') }}

)

select * from final
