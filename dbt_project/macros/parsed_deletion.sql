{#- Whether an event was taken back: *text* says yes or no, or when; NULL where it says neither. -#}
{% macro parsed_deletion(text) -%}
    case
        when {{ text }} is null then false
        else coalesce(
            try_cast({{ text }} as boolean),
            if({{ parsed_time(text) }} <= landed_at + interval 1 day, true, null)
        )
    end
{%- endmacro %}


{#- When an event was taken back, where *text* tells it. -#}
{% macro deletion_time(text) -%}
    case when try_cast({{ text }} as boolean) is null then {{ parsed_time(text) }} end
{%- endmacro %}


{#-
    When an event, or that it was taken back, became known: when it landed. A bulk load tells of
    the past, and what it tells counts as known when it happened.
-#}
{% macro event_known_at() -%}
    if(is_backfill, coalesce(deleted_at, event_at, landed_at), landed_at)
{%- endmacro %}


{#- The branches of a CASE that judge a deletion, which has to name no more than the event. -#}
{% macro deletion_reason() -%}
        when is_deleted is null then 'bad_deleted'
            when is_deleted and own_id is not null then null
{%- endmacro %}
