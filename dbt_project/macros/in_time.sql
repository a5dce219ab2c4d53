{#-
    The order of a person's events: by time; within equal times by the order that the source tells,
    where it tells one; else by the md5 of the id. Never by the id itself, which may name the place:
    a model would learn the order of names.
-#}
{% macro in_time() -%}
    event_at, event_order, md5(event_id)
{%- endmacro %}
