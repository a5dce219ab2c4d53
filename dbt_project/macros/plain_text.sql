{#-
    The text of a JSON value: MongoDB's Extended JSON unwrapped, anything else trimmed.

    NULL where there is nothing to read: an empty text, or an object of another make.
    *value* is VARCHAR as json_transform gives it: strings without quotes, objects as JSON.
-#}
{% macro plain_text(value) -%}
    nullif(trim(
        case
            when starts_with({{ value }}, '{') then list_filter(
                try(json_extract_string({{ value }}, [
                    '$."$oid"', '$."$date"."$numberLong"', '$."$date"', '$."$numberLong"',
                    '$."$numberInt"', '$."$numberDouble"', '$."$numberDecimal"', '$."$uuid"'
                ])),
                lambda unwrapped: unwrapped is not null
            )[1]
            else {{ value }}
        end
    ), '')
{%- endmacro %}
