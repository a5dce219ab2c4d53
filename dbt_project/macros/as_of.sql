{#-
    The moment of the build: TASTEMATE_NOW where it is set, else the start of this dbt run,
    so that all models of a run share one.
-#}
{% macro as_of() -%}
    {%- set moment = env_var('TASTEMATE_NOW', '') or run_started_at.isoformat() -%}
    timestamptz '{{ moment | replace("'", "''") }}'
{%- endmacro %}
