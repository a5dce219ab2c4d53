{#-
    The text of a JSON value: MongoDB's Extended JSON unwrapped, anything else trimmed.

    NULL where there is nothing to read: an empty text, or an object of another make.
    *value* is VARCHAR as json_transform gives it: strings without quotes, objects as JSON.
-#}
{% macro plain_text(value) -%}
    case
        when starts_with({{ value }}, '{') then nullif(trim(coalesce(
            {%- for path in [
                '$."$oid"', '$."$date"."$numberLong"', '$."$date"', '$."$numberLong"',
                '$."$numberInt"', '$."$numberDouble"', '$."$numberDecimal"', '$."$uuid"'
            ] %}
            try(json_extract_string({{ value }}, '{{ path }}')){{ "," if not loop.last }}
            {%- endfor %}
        )), '')
        else nullif(trim({{ value }}), '')
    end
{%- endmacro %}
