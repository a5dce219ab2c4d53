with lines as not materialized (

    {{ known_lines('places', sample=true) }}

),

repeated as (

    {{ repeated_lines('lines') }}

),

parsed as (

    select
        lines.*,
        md5_number(lines.doc) as doc_hash,
        repeated.file_id is not null as is_repeated,
        try(json_transform(lines.doc, '{
            "_id": "VARCHAR", "category_codes": "VARCHAR", "district_code": "VARCHAR",
            "location": "VARCHAR"
        }')) as doc_fields
    from lines
    left join repeated
        on lines.file_id = repeated.file_id and lines.line_number = repeated.line_number

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
