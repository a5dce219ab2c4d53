{% set kinds = [
    'stg_sample__likes', 'stg_sample__reviews', 'stg_sample__places',
    'stg_interactions__events', 'stg_interactions__places'
] %}

with lines as (

    {% for kind in kinds %}
    select
        file_id,
        source,
        kind,
        line_number,
        byte_offset,
        line_status,
        reason,
        landed_at
    from {{ ref(kind) }}
    {{ "union all" if not loop.last }}
    {% endfor %}

)

select * from lines
