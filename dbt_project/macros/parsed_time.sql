{#-
    A moment in UTC from text: ISO 8601 with or without zone, a date, an epoch, or the
    'Tue Apr 03 18:00:09 +0000 2012' of web logs. NULL where it is none of them.

    unit  s, ms or us for epochs; any other, or NULL: told by magnitude, since seconds of
          the years 2000 to 5138 and their milli- and microseconds do not overlap
    zone  the time zone of texts that name none; NULL leaves them unread
-#}
{% macro parsed_time(text, unit='null', zone="'UTC'") -%}
    case
        when try_cast({{ text }} as double) is not null
            then {{ epoch_time("try_cast(" ~ text ~ " as double)", unit) }}
        when {{ zone }} = 'UTC' or regexp_matches({{ text }}, ':.*(Z|[+-][0-9]{2}(:?[0-9]{2})?)$')
            then coalesce(
                try_cast({{ text }} as timestamptz),
                try_strptime({{ text }}, '%a %b %d %H:%M:%S %z %Y')
            )
        else coalesce(
            timezone({{ zone }}, try_cast({{ text }} as timestamp)),
            try_strptime({{ text }}, '%a %b %d %H:%M:%S %z %Y')
        )
    end
{%- endmacro %}


{#- A moment from a number of seconds, milli- or microseconds since 1970; see parsed_time. -#}
{% macro epoch_time(number, unit) -%}
    make_timestamptz(try_cast(
        {{ number }} * case
            when {{ unit }} = 's' then 1000000
            when {{ unit }} = 'ms' then 1000
            when {{ unit }} = 'us' then 1
            when abs({{ number }}) < 1e11 then 1000000
            when abs({{ number }}) < 1e14 then 1000
            when abs({{ number }}) < 1e17 then 1
        end as bigint
    ))
{%- endmacro %}


{#- Microseconds since 1970 for a place in an order, as minutes since 2000. -#}
{% macro ordered_time(text) -%}
    946684800000000 + try_cast({{ text }} as double) * 60000000
{%- endmacro %}
