{#-
    The id of an event, unique over all sources.

    A source's own id stays as it is where it is unique by make (an ObjectId, a UUID, a digest);
    any other, such as a counter, gets source and kind in front, since two collections may
    count alike. An event without an id of its own gets the hash of what it says; NULL if that is not all there.
-#}
{% macro event_identity(own_id) -%}
    case
        when {{ own_id }} is null
            then md5(source || '|' || user_id || '|' || place_id || '|' || epoch_us(event_at) || '|' || event_kind)
        when regexp_full_match({{ own_id }}, '[0-9a-f]{24}|[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
            then {{ own_id }}
        else concat_ws(':', source, kind, {{ own_id }})
    end
{%- endmacro %}
