{#-
    The first steps of every model of landed documents: the lines of a kind are read, repeated ones
    marked for deduplication, and the JSON is parsed into `doc_fields`, all of them texts.

    fields  those that documents of the source `sample` have. Where not stated, the lines are those
            of the sources with a mapping: `mapped` says which field means what
-#}
{% macro parsed_lines(kind, fields=none) -%}
    with lines as not materialized (

        {{ known_lines(kind, sample=fields is not none) }}

    ),

    repeated as (

        {{ repeated_lines('lines') }}

    )

    select
        lines.*,
        md5_number(lines.doc) as doc_hash,
        repeated.file_id is not null as is_repeated,
        {%- if fields is none %}
        lines.mapped_{{ kind }} as mapped,
        -- A map, since every mapping names other columns.
        try(json_transform(lines.doc, '"MAP(VARCHAR, VARCHAR)"')) as doc_fields
        {%- else %}
        try(json_transform(lines.doc, '{"{{ fields | join('": "VARCHAR", "') }}": "VARCHAR"}')) as doc_fields
        {%- endif %}
    from lines
    left join repeated
        on lines.file_id = repeated.file_id and lines.line_number = repeated.line_number
{%- endmacro %}
