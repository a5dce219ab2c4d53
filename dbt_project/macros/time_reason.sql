{#-
    The branches of a CASE that say why a time is not fit; 2000 is where order-only time begins,
    and clocks that were never set tell 1970. A day of grace allows for clocks that are ahead,
    added as microseconds: an interval goes by the calendar, which is slow line by line.
-#}
{% macro time_reason(time_text) -%}
        when {{ time_text }} is null then 'no_time'
            when event_at is null then 'bad_time'
            when event_at < timestamptz '2000-01-01 00:00:00+00' then 'before_2000'
            when event_at > make_timestamptz(epoch_us(landed_at) + 86400000000) then 'in_future'
{%- endmacro %}
