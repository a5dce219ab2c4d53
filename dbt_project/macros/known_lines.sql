{#-
    The archive's lines of one kind whose file is known, with what the ledger says of the file.

    sample  whether of the source `sample`, whose documents have fixed field names, or of the
            sources with a mapping
-#}
{% macro known_lines(kind, sample) -%}
    select
        archived.file_id,
        archived.line_number,
        archived.byte_offset,
        archived.user_id,
        archived.district_code,
        archived.doc,
        archived.landing_reason,
        files.source,
        files.kind,
        files.landed_at,
        files.is_backfill,
        files.as_of
        {%- if not sample %},
        files.time_zone,
        files.mapped_{{ kind }}
        {%- endif %}
    from {{ source('raw', 'lines') }} as archived
    inner join {{ ref('stg_ledger__files') }} as files on archived.file_id = files.file_id
    where archived.kind = '{{ kind }}' and archived.source {{ '=' if sample else '!=' }} 'sample'
{%- endmacro %}
