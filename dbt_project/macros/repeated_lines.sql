{#-
    The lines whose document came before: all but the first, by landing, among equal documents
    of a source and kind, across files. In an incremental build, *lines* are those of new files,
    which landed after all others.

    Only documents whose hash is repeated are compared, which spares sorting all the others.
-#}
{% macro repeated_lines(lines) -%}
    select
        file_id,
        line_number
    from {{ lines }}
    where
        doc is not null
        and hash(source, doc) in (
            select hash(source, doc)
            from {{ lines }}
            where doc is not null
            group by hash(source, doc)
            having count(*) > 1
        )
    qualify
        row_number() over (partition by source, doc order by landed_at, file_id, line_number) > 1
    {%- if is_incremental() %}
    union
    select
        lines.file_id,
        lines.line_number
    from {{ lines }} as lines
    semi join (
        select
            source,
            doc_hash
        from {{ this }}
        -- A build that was killed may have left some of the new ones.
        where file_id not in (select files.file_id from {{ ref('stg_ledger__files') }} as files where files.is_new)
    ) as earlier
        on lines.source = earlier.source and md5_number(lines.doc) = earlier.doc_hash
    {%- endif %}
{%- endmacro %}
