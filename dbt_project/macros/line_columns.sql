{#-
    What every staging model says of each line: where it came from and what became of it.

    A line is `quarantined` if landing could not read it, else `duplicate` if an equal document
    came before, else `quarantined` if a value is not fit, else `accepted`. Expects the
    columns `is_repeated`, `doc_hash` and `value_reason` beside those of known_lines.
-#}
{% macro line_columns(known_at) -%}
        file_id,
        source,
        kind,
        line_number,
        byte_offset,
        landed_at,
        is_backfill,
        case
            when landing_reason = 'erased' then 'erased'
            when landing_reason is not null then 'quarantined'
            when is_repeated then 'duplicate'
            when value_reason is not null then 'quarantined'
            else 'accepted'
        end as line_status,
        case
            when landing_reason is not null then nullif(landing_reason, 'erased')
            when not is_repeated then value_reason
        end as reason,
        {{ known_at }} as known_at,
        doc_hash
{%- endmacro %}
