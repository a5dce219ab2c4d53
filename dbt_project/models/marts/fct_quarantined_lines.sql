with lines as (

    select * from {{ ref('int_lines_judged') }}

),

final as (

    select
        file_id,
        source,
        kind,
        line_number,
        byte_offset,
        reason,
        landed_at
    from lines
    where line_status = 'quarantined'

)

select * from final
