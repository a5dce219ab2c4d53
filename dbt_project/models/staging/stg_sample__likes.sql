with parsed as (

    {{ parsed_lines('likes', [
        '_id', 'display_id', 'contents_id', 'like_time', 'is_discoverable', 'deleted_at'
    ]) }}

),

renamed as (

    select
        * exclude (doc_fields),
        doc_fields is not null as is_readable,
        'like' as event_kind,
        {{ plain_text('doc_fields._id') }} as own_id,
        {{ plain_text('doc_fields.contents_id') }} as place_id,
        {{ plain_text('doc_fields.display_id') }} as display_id,
        {{ plain_text('doc_fields.like_time') }} as time_text,
        {{ plain_text('doc_fields.is_discoverable') }} as discoverable_text,
        {{ plain_text('doc_fields.deleted_at') }} as deleted_text
    from parsed

),

typed as (

    select
        *,
        {{ parsed_time('time_text') }} as event_at,
        try_cast(discoverable_text as boolean) as is_discoverable,
        {{ parsed_deletion('deleted_text') }} as is_deleted,
        {{ deletion_time('deleted_text') }} as deleted_at
    from renamed

),

judged as (

    select
        *,
        case
            when not is_readable then 'not_json'
            when user_id is null then 'no_user'
            {{ deletion_reason() }}
            when place_id is null then 'no_place'
            {{ time_reason('time_text') }}
            when discoverable_text is not null and is_discoverable is null then 'bad_discoverable'
        end as value_reason
    from typed

),

final as (

    select
        {{ line_columns(known_at=event_known_at()) }},
        {{ event_identity('own_id') }} as event_id,
        user_id,
        place_id,
        event_kind,
        event_at,
        display_id,
        is_discoverable,
        is_deleted
    from judged

)

select * from final
