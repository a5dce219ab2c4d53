with parsed as (

    {{ parsed_lines('reviews', [
        '_id', 'place_id', 'rating', 'visited_date', 'is_discoverable', 'deleted_at'
    ]) }}

),

renamed as (

    select
        * exclude (doc_fields),
        doc_fields is not null as is_readable,
        'review' as event_kind,
        {{ plain_text('doc_fields._id') }} as own_id,
        {{ plain_text('doc_fields.place_id') }} as place_id,
        {{ plain_text('doc_fields.rating') }} as rating_text,
        {{ plain_text('doc_fields.visited_date') }} as time_text,
        {{ plain_text('doc_fields.is_discoverable') }} as discoverable_text,
        {{ plain_text('doc_fields.deleted_at') }} as deleted_text
    from parsed

),

typed as (

    select
        *,
        {{ parsed_time('time_text') }} as event_at,
        {{ parsed_number('rating_text') }} as rating,
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
            when rating_text is not null and coalesce(rating not between 0 and 5, true)
                then 'bad_rating'
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
        rating,
        is_discoverable,
        is_deleted
    from judged

)

select * from final
