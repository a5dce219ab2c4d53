{% set staged = [
    'stg_sample__likes', 'stg_sample__reviews', 'stg_sample__places',
    'stg_interactions__events', 'stg_interactions__places'
] %}

with lines as (

    {% for model in staged %}
        select
            file_id,
            source,
            kind,
            line_number,
            byte_offset,
            line_status,
            reason,
            landed_at
        from {{ ref(model) }}
        {{ "union all" if not loop.last }}
    {% endfor %}

)

select * from lines
