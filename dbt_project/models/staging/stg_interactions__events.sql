with parsed as (

    {{ parsed_lines('events') }}

),

mapped as (

    select
        * exclude (doc_fields, mapped, mapped_events),
        doc_fields is not null as is_readable,
        {{ plain_text('doc_fields[mapped.event_id]') }} as own_id,
        {{ plain_text('doc_fields[mapped.place]') }} as place_id,
        {{ plain_text('doc_fields[mapped.time.column]') }} as time_text,
        mapped.time.unit as time_unit,
        {{ plain_text('doc_fields[mapped.order]') }} as order_text,
        mapped.time.column is null as is_time_synthetic,
        if(
            mapped.kind in ('like', 'review', 'visit'), mapped.kind,
            lower({{ plain_text('doc_fields[mapped.kind]') }})
        ) as event_kind,
        {{ plain_text('doc_fields[mapped.rating]') }} as rating_text,
        {{ plain_text('doc_fields[mapped.discoverable]') }} as discoverable_text,
        {{ plain_text('doc_fields[mapped.deleted]') }} as deleted_text
    from parsed

),

typed as (

    select
        *,
        if(
            is_time_synthetic,
            make_timestamptz(try_cast({{ ordered_time('order_text') }} as bigint)),
            {{ parsed_time('time_text', 'time_unit', 'time_zone') }}
        ) as event_at,
        if(not is_time_synthetic, {{ parsed_number('order_text') }}, null) as event_order,
        {{ parsed_number('rating_text') }} as rating,
        try_cast(discoverable_text as boolean) as is_discoverable,
        {{ parsed_deletion('deleted_text') }} as is_deleted,
        {{ deletion_time('deleted_text') }} as deleted_at
    from mapped

),

judged as (

    select
        *,
        case
            when not is_readable then 'not_json'
            when user_id is null then 'no_user'
            {{ deletion_reason() }}
            when place_id is null then 'no_place'
            when event_kind is null then 'no_kind'
            when event_kind not in ('like', 'review', 'visit') then 'bad_kind'
            {{ time_reason('if(is_time_synthetic, order_text, time_text)') }}
            when not is_time_synthetic and order_text is not null and event_order is null
                then 'bad_order'
            when rating_text is not null and rating is null then 'bad_rating'
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
        event_order,
        rating,
        is_discoverable,
        is_deleted,
        is_time_synthetic
    from judged

)

select * from final
