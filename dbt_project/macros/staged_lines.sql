{#-
    The typed and judged lines of all sources, as a union of the staging models that hold them. These
    are listed here and nowhere else. What a model has no column for is NULL.

    about  `events` or `places`
-#}
{% macro staged_lines(about) -%}
    {%- set staged = {
        'events': ['stg_sample__likes', 'stg_sample__reviews', 'stg_interactions__events'],
        'places': ['stg_sample__places', 'stg_interactions__places']
    } -%}
    {%- for model in staged[about] %}
    select * from {{ ref(model) }}
    {%- if not loop.last %}
    union all by name
    {%- endif %}
    {%- endfor -%}
{%- endmacro %}
