{#- dbt's own clock, by which it judges freshness: that of the build, TASTEMATE_NOW where it is set. -#}
{% macro duckdb__current_timestamp() -%}
    {{ as_of() }}
{%- endmacro %}
