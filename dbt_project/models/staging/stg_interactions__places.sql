with lines as not materialized (

    {{ known_lines('places', sample=false) }}

),

repeated as (

    {{ repeated_lines('lines') }}

),

parsed as (

    select
        lines.*,
        md5_number(lines.doc) as doc_hash,
        repeated.file_id is not null as is_repeated,
        lines.mapped_places as mapped,
        -- A map, since every mapping names other columns.
        try(json_transform(lines.doc, '"MAP(VARCHAR, VARCHAR)"')) as doc_fields
    from lines
    left join repeated
        on lines.file_id = repeated.file_id and lines.line_number = repeated.line_number

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
