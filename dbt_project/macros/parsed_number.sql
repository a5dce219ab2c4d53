{#- A finite number from text, else NULL. -#}
{% macro parsed_number(text) -%}
    case when isfinite(try_cast({{ text }} as double)) then try_cast({{ text }} as double) end
{%- endmacro %}
