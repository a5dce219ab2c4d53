{#-
    The lines whose document came before: all but the first, by landing, among equal documents
    of a source and kind, across files.

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
{%- endmacro %}
