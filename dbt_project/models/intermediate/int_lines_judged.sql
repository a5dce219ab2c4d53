with lines as (

    {{ staged_lines('events') }}
    union all by name
    {{ staged_lines('places') }}

),

final as (

    select
        file_id,
        source,
        kind,
        line_number,
        byte_offset,
        line_status,
        reason,
        landed_at
    from lines

)

select * from final
