with lines as (

    select * from {{ ref('int_lines_judged') }}

),

files as (

    select * from {{ ref('stg_ledger__files') }}

),

replayed as (

    select
        files.replays_file_id as file_id,
        lines.line_number,
        files.file_id as replayed_file_id,
        files.landed_at as replayed_at
    from lines
    inner join files on lines.file_id = files.file_id
    where files.replays_file_id is not null

),

final as (

    select
        ----------  ids
        lines.file_id,
        lines.source,
        lines.kind,
        lines.line_number,
        lines.byte_offset,

        ----------  why, and since when
        lines.reason,
        lines.landed_at,

        ----------  what became of it
        replayed.replayed_file_id,
        replayed.replayed_at
    from lines
    left join replayed
        on lines.file_id = replayed.file_id and lines.line_number = replayed.line_number
    where lines.line_status = 'quarantined'

)

select * from final
