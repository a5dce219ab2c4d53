{#-
    The archive's lines of one kind whose file is known, with what the ledger says of the file;
    in an incremental build those of new files.

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
        files.is_backfill
        {%- if not sample %},
        files.time_zone,
        files.mapped_{{ kind }}
        {%- endif %}
    from {{ source('raw', 'lines') }} as archived
    inner join {{ ref('stg_ledger__files') }} as files on archived.file_id = files.file_id
    where archived.kind = '{{ kind }}' and archived.source {{ '=' if sample else '!=' }} 'sample'
        {%- if is_incremental() %}
        and files.is_new
        -- Days told by name spare opening the files of all others.
        and archived.landed_date in ({{ new_days() }})
        {%- endif %}
{%- endmacro %}


{#- The days of landing of the files that the last build did not have; NULL where there is none. -#}
{% macro new_days() -%}
    {%- set found = run_query("select distinct landed_date::varchar from " ~ ref('stg_ledger__files') ~ " where is_new") -%}
    {%- set days = found.columns[0].values() if found else [] -%}
    {%- for day in days -%}date '{{ day }}'{{ ", " if not loop.last }}{%- else -%}null{%- endfor -%}
{%- endmacro %}
