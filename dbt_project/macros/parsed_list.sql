{#-
    A list of texts from a JSON list or from one text split at *separator* (NULL: not split);
    trimmed, without empty ones, in the given order. Never NULL.
-#}
{% macro parsed_list(value, separator) -%}
    list_filter(
        list_transform(
            coalesce(
                case
                    when starts_with({{ value }}, '[') then try(json_transform({{ value }}, '["VARCHAR"]'))
                    when {{ value }} is null then []
                    when {{ separator }} is null then [{{ value }}]
                    else string_split({{ value }}, {{ separator }})
                end,
                []
            ),
            lambda item: {{ plain_text('item') }}
        ),
        lambda item: item is not null
    )
{%- endmacro %}


{#- *items* without repetitions, each where it first stood. -#}
{% macro first_of_each(items) -%}
    list_transform(
        list_filter(
            range(1, len({{ items }}) + 1),
            lambda position: list_position({{ items }}, {{ items }}[position]) = position
        ),
        lambda position: {{ items }}[position]
    )
{%- endmacro %}
